"""The declaration of tickets against the contract: columns, filters, and the rows that they give."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rowferry.exports.encoding.value_types import ValueType
from rowferry.tickets.models import Ticket
from rowferry.tickets.resources.tickets import TicketResource
from tests.factories.people import UserFactory
from tests.factories.resources import filter_rows, values
from tests.factories.tickets import TicketFactory, TicketPriorityFactory, TicketStatusFactory, TicketTypeFactory

RESOURCE = TicketResource()

DEFAULTS = {
    "id": ValueType.INTEGER,
    "ticket_code": ValueType.IDENTIFIER,
    "subject": ValueType.TEXT,
    "description": ValueType.TEXT,
    "status_id": ValueType.INTEGER,
    "priority_id": ValueType.INTEGER,
    "type_id": ValueType.INTEGER,
    "assigned_to": ValueType.INTEGER,
    "created_by": ValueType.INTEGER,
    "is_open": ValueType.BOOLEAN,
    "is_resolved": ValueType.BOOLEAN,
    "created_at": ValueType.INSTANT,
    "due_date": ValueType.INSTANT,
    "updated_at": ValueType.INSTANT,
}
READABLE = ("status", "priority", "type", "assigned_to_name", "created_by_name")


def test_the_fourteen_columns_come_by_name_kind_and_order():
    assert RESOURCE.defaults == tuple(DEFAULTS)
    assert {name: RESOURCE.by_name[name].kind for name in DEFAULTS} == DEFAULTS


def test_the_readable_columns_are_there_for_the_asking():
    assert tuple(name for name, column in RESOURCE.by_name.items() if not column.default) == READABLE
    assert {RESOURCE.by_name[name].kind for name in READABLE} == {ValueType.TEXT}


def test_ids_and_names_nest_together():
    nests = {name: column.nest for name, column in RESOURCE.by_name.items() if column.nest}
    assert nests == {
        **{f"{name}_id": (name, "id") for name in ("status", "priority", "type")},
        **{name: (name, "name") for name in ("status", "priority", "type")},
        **{name: (name, "id") for name in ("assigned_to", "created_by")},
        **{f"{name}_name": (name, "name") for name in ("assigned_to", "created_by")},
    }


def test_no_two_columns_have_the_same_label():
    labels = [column.label for column in RESOURCE.by_name.values()]
    assert len(labels) == len(set(labels))


def test_the_filters_are_those_of_the_contract():
    names = [name for rule in RESOURCE.filters for name in rule.names]
    assert names == [
        "status_id",
        "priority_id",
        "type_id",
        "assigned_to",
        "created_by",
        "is_open",
        "is_resolved",
        "date_from",
        "date_to",
        "date_column",
        "search",
        "ids",
    ]


@pytest.mark.django_db
def test_all_columns_of_all_rows_are_one_statement(django_assert_num_queries):
    author = UserFactory(first_name="Łukasz", last_name="Nowak")
    ticket = TicketFactory(created_by=author, due_date=datetime(2025, 10, 31, 8, tzinfo=UTC))
    TicketFactory.create_batch(3, assigned_to=author)
    with django_assert_num_queries(1):
        row = values(RESOURCE)[0]
    assert row == {
        **{name: getattr(ticket, name) for name in DEFAULTS if name not in ("assigned_to", "created_by")},
        "assigned_to": None,
        "created_by": author.pk,
        "status": "New",
        "priority": "Normal",
        "type": "Incident",
        "assigned_to_name": None,
        "created_by_name": "Łukasz Nowak",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["status_id", "priority_id", "type_id", "assigned_to", "created_by"])
def test_each_id_filter_selects_by_its_own_column(name):
    wanted = TicketFactory(
        status=TicketStatusFactory(name="Closed"),
        priority=TicketPriorityFactory(name="Urgent"),
        type=TicketTypeFactory(name="Question"),
        assigned_to=UserFactory(),
    )
    TicketFactory(assigned_to=UserFactory())
    key = getattr(wanted, f"{name.removesuffix('_id')}_id")
    assert filter_rows(RESOURCE, **{name: [str(key)]}) == {wanted}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["is_open", "is_resolved"])
def test_flags_tell_true_from_false(name):
    yes, no = TicketFactory(**{name: True}), TicketFactory(**{name: False})
    assert filter_rows(RESOURCE, **{name: True}) == {yes}
    assert filter_rows(RESOURCE, **{name: "false"}) == {no}


@pytest.mark.django_db
def test_a_range_of_due_dates_includes_its_last_day():
    due = TicketFactory(due_date=datetime(2025, 10, 31, 23, 59, 59, tzinfo=UTC))
    TicketFactory(due_date=datetime(2025, 11, 1, tzinfo=UTC))
    TicketFactory()
    assert filter_rows(RESOURCE, date_column="due_date", date_from="2025-10-31", date_to="2025-10-31") == {due}


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["code-x9", "PIVOT", "pasted"])
def test_a_search_looks_at_code_subject_and_description(text):
    found = TicketFactory(ticket_code="CODE-X9", subject="Pivot table", description="a pasted log")
    TicketFactory()
    assert filter_rows(RESOURCE, search=text) == {found}


def test_the_permission_is_that_of_the_contract():
    assert (RESOURCE.name, RESOURCE.permission, RESOURCE.model) == ("tickets", "tickets.export_ticket", Ticket)
