"""Tickets in the admin: pages that open, and that ask the database no more for many rows than for few."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rowferry.tickets.models import Ticket, TicketPriority, TicketStatus, TicketType
from tests.factories.people import UserFactory
from tests.factories.tickets import TicketFactory

pytestmark = pytest.mark.django_db


def statements(client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_the_list_asks_as_much_for_many_tickets_as_for_one(admin_client):
    url = reverse("admin:tickets_ticket_changelist")
    TicketFactory(assigned_to=UserFactory())
    for_one = statements(admin_client, url)
    for _ in range(5):
        TicketFactory(assigned_to=UserFactory())
    assert statements(admin_client, url) == for_one


def test_a_search_finds_by_what_the_description_says(admin_client):
    TicketFactory(subject="Wanted", description="error 0x80070005")
    TicketFactory(subject="Other")
    page = admin_client.get(reverse("admin:tickets_ticket_changelist"), {"q": "0x80070005"}).content.decode()
    assert "Wanted" in page
    assert "Other" not in page


@pytest.mark.parametrize("model", [Ticket, TicketPriority, TicketStatus, TicketType])
def test_every_model_has_a_list_and_a_form(admin_client, model):
    TicketFactory()
    name = model._meta.model_name
    for url in (
        reverse(f"admin:tickets_{name}_changelist"),
        reverse(f"admin:tickets_{name}_add"),
        reverse(f"admin:tickets_{name}_change", args=[model.objects.get().pk]),
    ):
        assert admin_client.get(url).status_code == 200
