"""The plan: who may have what, in which order rows come, and how an export of a size is made."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission, User

from rowferry.exports import submission
from rowferry.exports.databases import open_reader
from rowferry.exports.encoding.blocks import split
from rowferry.exports.errors import NotPermitted
from rowferry.exports.execution import queued
from rowferry.exports.models import Status
from rowferry.exports.planning.plan import build_plan
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import DateRange, Flag, Matches, Search
from rowferry.exports.resources.resource import Resource
from rowferry.exports.storage import storage
from tests.conftest import may_export
from tests.factories.assets import AssetFactory, AssetStatusFactory, LocationFactory
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db

SECRET = "auth.view_user"


class PeopleResource(Resource):
    """People see themselves only; e-mail addresses are for those who may view users."""

    model = User
    name = "people"
    columns = (
        Column("id", nest=("person", "id")),
        Column("username", nest=("person", "name")),
        Column("email", permission=SECRET, nest=("person", "email")),
        Column("date_joined", permission=SECRET, default=False),
        Column("is_staff", permission=SECRET, default=False),
    )
    filters = (
        Matches("email"),
        Flag("is_staff"),
        DateRange(("last_login", "date_joined")),
        Search(("username", "email")),
    )

    def rows_for(self, person):
        rows = super().rows_for(person)
        return rows if person is None else rows.filter(pk=person.pk)


class OpenResource(Resource):
    """The same without any rule about rows."""

    model = User
    name = "everybody"
    columns = (Column("id"), Column("username"))
    filters = (Search(("username", "email")),)


@pytest.fixture
def people(declare, owner, stranger):
    declare(PeopleResource)
    return SimpleNamespace(owner=may_export(owner), stranger=may_export(stranger))


@pytest.fixture
def privileged_owner(people):
    """The owner, with the permission that the hidden columns need."""
    people.owner.user_permissions.add(Permission.objects.get(codename="view_user"))
    return User.objects.get(pk=people.owner.pk)


def plan(person, resource="people", **body):
    return build_plan(ExportSpec.parse(resource, {"format": "csv", **body}), person)


def names(of_plan):
    return [column.name for column in of_plan.columns]


def rows(of_plan):
    return list(of_plan.queryset.values_list("pk", flat=True))


def test_without_the_permission_there_is_no_plan(people):
    nobody = UserFactory()
    with pytest.raises(NotPermitted, match=r"auth\.export_user"):
        plan(nobody)
    with pytest.raises(NotPermitted, match=r"assets\.export_asset"):
        plan(nobody, "assets")


def test_an_account_that_was_closed_has_no_rights_left(owner):
    owner.is_active = False
    with pytest.raises(NotPermitted):
        plan(owner, "assets")


def test_the_operator_may_have_everything(people):
    assert names(plan(None, columns=["id", "email", "is_staff"], sort_by="email")) == ["id", "email", "is_staff"]
    assert set(rows(plan(None))) == set(User.objects.values_list("pk", flat=True))


def test_a_default_column_without_permission_is_left_out_and_said(people):
    made = plan(people.owner)
    assert (names(made), made.withheld) == (["id", "username"], {"email": "drop"})
    preview = submission.dry_run("people", {"format": "csv"}, people.owner)
    assert [*preview.rows[0]] == ["id", "username"]
    assert any("email" in warning for warning in preview.warnings)


def test_a_named_column_without_permission_is_refused(people):
    with pytest.raises(NotPermitted, match="date_joined"):
        plan(people.owner, columns=["id", "date_joined"])


def test_with_the_permission_the_columns_come(privileged_owner):
    assert names(plan(privileged_owner)) == ["id", "username", "email"]
    assert names(plan(privileged_owner, columns=["email", "is_staff"])) == ["email", "is_staff"]


def test_nobody_sorts_by_what_they_may_not_see(people, privileged_owner):
    with pytest.raises(NotPermitted, match="sort by email"):
        plan(people.stranger, columns=["id"], sort_by="email")
    assert rows(plan(privileged_owner, columns=["id"], sort_by="email")) == [privileged_owner.pk]


@pytest.mark.parametrize(
    "filters",
    [
        {"email": "owner@example.com"},
        {"is_staff": True},
        {"search": "owner@"},
        {"date_from": "2020-01-01", "date_column": "date_joined"},
    ],
)
def test_nobody_filters_by_what_they_may_not_see(people, privileged_owner, filters):
    with pytest.raises(NotPermitted, match="filter"):
        plan(people.stranger, filters=filters)
    plan(privileged_owner, filters=filters)


def test_a_filter_on_another_column_stays_open(people):
    plan(people.owner, filters={"date_from": "2020-01-01"})


def test_nested_brings_the_whole_object_but_what_is_hidden(people, privileged_owner):
    body = {"format": "json", "nested": True, "columns": ["username"]}
    assert names(plan(privileged_owner, **body)) == ["id", "username", "email"]
    narrow = plan(people.stranger, **body)
    assert (names(narrow), narrow.withheld) == (["id", "username"], {"email": "drop"})


def test_nested_groups_stand_where_the_first_of_them_was_named(owner):
    made = plan(owner, "assets", format="json", nested=True, columns=["name", "status", "id", "assigned_to_email"])
    assert names(made) == ["name", "status_id", "status", "id", "assigned_to", "assigned_to_name", "assigned_to_email"]


def test_the_rows_of_a_person_hold_in_count_preview_and_worker(people):
    body = {"format": "csv", "columns": ["username"]}
    assert rows(plan(people.owner)) == [people.owner.pk]
    preview = submission.dry_run("people", body, people.stranger)
    assert (preview.total, preview.rows) == (1, [{"username": "stranger"}])
    export = submission.enqueue("people", body, people.owner)
    assert export.total_items == 1
    assert queued.run_next() == export
    assert read_file(export) == [["username"], ["owner"]]


def test_a_right_that_was_lost_stops_the_worker(people):
    export = submission.enqueue("people", {"format": "csv"}, people.owner)
    people.owner.user_permissions.clear()
    queued.run_next()
    export.refresh_from_db()
    assert (export.status, export.error["code"]) == (Status.FAILED, "not_permitted")


def test_a_column_that_was_lost_stops_the_worker(privileged_owner):
    export = submission.enqueue("people", {"format": "csv", "columns": ["email"]}, privileged_owner)
    privileged_owner.user_permissions.remove(Permission.objects.get(codename="view_user"))
    queued.run_next()
    export.refresh_from_db()
    assert (export.status, export.error["code"]) == (Status.FAILED, "not_permitted")


def read_file(export):
    export.refresh_from_db()
    with storage().open(export.file_key) as file:
        return list(csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline="")))


def test_equal_values_come_by_key_in_the_direction_of_the_sort(owner):
    made = [AssetFactory(name=name).pk for name in ("b", "a", "b", "a", "b")]
    for order, expected in {"asc": [1, 3, 0, 2, 4], "desc": [4, 2, 0, 3, 1]}.items():
        assert rows(plan(owner, "assets", sort_by="name", sort_order=order)) == [made[place] for place in expected]


@pytest.mark.parametrize(
    "sort_by", ["purchase_date", "location_id", "assigned_to_name", "manufacturer", "serial_number"]
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_rows_without_a_value_come_last_either_way(owner, sort_by, order):
    empty = [AssetFactory(manufacturer=None, serial_number=None).pk for _ in range(2)]
    full = [full_asset(number).pk for number in (1, 2)]
    found = rows(plan(owner, "assets", sort_by=sort_by, sort_order=order))
    assert found == ([*full, *empty] if order == "asc" else [*full[::-1], *empty[::-1]])


def full_asset(number):
    return AssetFactory(
        purchase_date=f"2024-01-0{number}",
        location=LocationFactory(name=f"{number}"),
        assigned_to=UserFactory(first_name=f"{number}"),
        manufacturer__name=f"{number}",
    )


@pytest.mark.parametrize("order, first", [("asc", 0), ("desc", -1)])
def test_without_a_sort_the_key_is_the_order(owner, order, first):
    made = [AssetFactory().pk for _ in range(3)]
    assert rows(plan(owner, "assets", sort_order=order))[0] == made[first]
    assert rows(plan(owner, "assets", sort_order=order, sort_by="id"))[0] == made[first]


@pytest.mark.parametrize("sort_by", ["status", "status_id", "created_at", "assigned_to_email", "asset_tag"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_key_ends_every_sort(owner, sort_by, order):
    for name in ("In repair", "In use"):
        AssetFactory.create_batch(3, status=AssetStatusFactory(name=name))
    made = plan(owner, "assets", sort_by=sort_by, sort_order=order)
    assert made.queryset.query.order_by[-1].expression.name == "pk"
    assert rows(made) == rows(made)


def test_the_plan_reads_what_the_sink_wants(owner):
    AssetFactory(purchase_date="2024-02-29")
    for wanted, cell in {"csv": b"2024-02-29", "excel": b"45351"}.items():
        made = plan(owner, "assets", format=wanted, columns=["purchase_date"])
        with open_reader("default") as reader:
            assert [block.data for block in reader.blocks(made.queryset, made.expressions)] == [cell]


def test_a_spec_of_another_resource_keeps_out_of_the_first(declare, owner):
    declare(OpenResource)
    person = may_export(owner)
    assert json.loads(json.dumps(plan(person, "everybody").spec.as_json()))["resource"] == "everybody"
    assert rows(plan(person, "everybody", filters={"search": "OWNER@example"})) == [person.pk]


class MembersResource(Resource):
    """People of any of two groups, some of whom are in both."""

    model = User
    name = "members"
    permission = "auth.export_user"
    columns = (Column("username"), Column("id"))
    filters = (Search(("username",)),)

    def rows_for(self, person):
        return User.objects.filter(groups__name__in=["one", "two"]).distinct()


@pytest.mark.parametrize("asked", [{}, {"sort_order": "desc"}, {"sort_by": "username"}, {"filters": {"search": "a"}}])
@pytest.mark.parametrize("kind", ["csv", "excel", "json"])
def test_rows_that_a_join_would_give_twice_come_once(declare, kind, asked):
    declare(MembersResource)
    both, one = [Group.objects.create(name=name) for name in ("one", "two")]
    for name in ("anna", "abel", "ada"):
        UserFactory(username=name).groups.set([both, one])
    UserFactory(username="arthur")
    made = plan(None, "members", **{**asked, "format": kind})
    with open_reader("default") as reader:
        total = reader.count(made.queryset)
        blocks = list(reader.blocks(made.queryset, made.expressions, None))
    found = [cell for block in blocks for cell in split(block.data, block.rows, 2)[::2]]
    in_order = ["abel", "ada", "anna"] if asked.get("sort_by") else ["anna", "abel", "ada"]
    assert (total, [cell.decode() for cell in found]) == (3, in_order[:: -1 if "sort_order" in asked else 1])
