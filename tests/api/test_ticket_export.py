"""Contract 2 and 3.1 for tickets, and for whatever else a project declares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User

from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.registry import unregister
from rowferry.exports.resources.resource import Resource, register
from tests.api.conftest import ApiClient, lines, problem
from tests.factories.people import UserFactory
from tests.factories.tickets import TicketFactory

DEFAULTS = (
    "id,ticket_code,subject,description,status_id,priority_id,type_id,assigned_to,created_by,"
    "is_open,is_resolved,created_at,due_date,updated_at"
)


def test_without_columns_come_the_fourteen_of_the_contract(api: ApiClient) -> None:
    TicketFactory()
    found = lines(api.create_export("tickets"))
    assert found[0] == DEFAULTS
    assert len(found) == 2


def test_readable_values_stand_beside_the_ids(api: ApiClient) -> None:
    TicketFactory(created_by=UserFactory(first_name="Zoë", last_name="Nowak"))
    columns = ["status", "priority", "type", "created_by_name", "assigned_to_name"]
    assert lines(api.create_export("tickets", columns=columns))[1] == "New,Normal,Incident,Zoë Nowak,"


def test_flags_are_filters_of_tickets(api: ApiClient) -> None:
    TicketFactory(is_open=False, is_resolved=True)
    solved = lines(api.create_export("tickets", columns=["is_open", "is_resolved"], filters={"is_resolved": True}))
    assert solved[1:] == ["false,true"]
    assert lines(api.create_export("tickets", columns=["id"], filters={"is_open": True}))[1:] == []


def test_filters_of_assets_are_not_those_of_tickets(api: ApiClient) -> None:
    found = problem(api.create_export("tickets", filters={"location_id": 1}), 422)
    assert "priority_id" in found["errors"]["filters.location_id"][0]


@pytest.fixture
def people_resource() -> Iterator[None]:
    @register
    class PeopleResource(Resource):
        model = User
        name = "people"
        columns = (Column("username"),)

    yield
    unregister("people")


def test_every_declared_resource_has_its_address(people_resource: None, api: ApiClient, owner: User) -> None:
    problem(api.create_export("people"), 403)
    content_type = Permission.objects.get(codename="view_user").content_type
    right = Permission.objects.create(codename="export_user", content_type=content_type, name="Can export users")
    owner.user_permissions.add(right)
    assert lines(api.create_export("people")) == ["username", "owner"]
    assert "people" in [one["name"] for one in api.get("/resources").json()["data"]]


def test_an_unknown_resource_is_404(api: ApiClient) -> None:
    assert "assets" in problem(api.create_export("unicorns"), 404)["detail"]
