"""Tickets in the database: what is protected, what is indexed, what can be undone."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models import ProtectedError

from rowferry.tickets.models import Ticket
from tests.factories.people import UserFactory
from tests.factories.tables import leading_columns, tables
from tests.factories.tickets import TicketFactory


@pytest.mark.django_db(transaction=True)
def test_the_migrations_can_be_undone_and_done_again():
    there = tables("tickets")
    assert "tickets_ticket" in there
    try:
        call_command("migrate", "tickets", "zero", verbosity=0)
        assert not tables("tickets")
    finally:
        call_command("migrate", "tickets", verbosity=0)
    assert tables("tickets") == there


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    call_command("makemigrations", "tickets", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_a_code_belongs_to_one_ticket():
    TicketFactory(ticket_code="T-1")
    with pytest.raises(IntegrityError):
        TicketFactory(ticket_code="T-1")


@pytest.mark.django_db
def test_a_ticket_outlives_the_people_in_it():
    ticket = TicketFactory(assigned_to=UserFactory())
    ticket.assigned_to.delete()
    ticket.created_by.delete()
    ticket.refresh_from_db()
    assert (ticket.assigned_to, ticket.created_by) == (None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["status", "priority", "type"])
def test_what_a_ticket_points_at_cannot_be_deleted(name):
    with pytest.raises(ProtectedError):
        getattr(TicketFactory(), name).delete()


@pytest.mark.django_db
def test_every_filter_and_sort_but_the_long_text_has_an_index():
    columns = {field.column for field in Ticket._meta.concrete_fields}
    assert leading_columns(Ticket) >= columns - {"description"}
