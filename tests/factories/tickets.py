"""Tickets and what they point at."""

from __future__ import annotations

import factory

from rowferry.tickets.models import Ticket, TicketPriority, TicketStatus, TicketType
from tests.factories.people import UserFactory


class TicketStatusFactory(factory.django.DjangoModelFactory[TicketStatus]):
    class Meta:
        model = TicketStatus
        django_get_or_create = ("name",)

    name = "New"


class TicketPriorityFactory(factory.django.DjangoModelFactory[TicketPriority]):
    class Meta:
        model = TicketPriority
        django_get_or_create = ("name",)

    name = "Normal"


class TicketTypeFactory(factory.django.DjangoModelFactory[TicketType]):
    class Meta:
        model = TicketType
        django_get_or_create = ("name",)

    name = "Incident"


class TicketFactory(factory.django.DjangoModelFactory[Ticket]):
    """A new ticket that nobody works on, until a test says so."""

    class Meta:
        model = Ticket

    ticket_code = factory.Sequence(lambda n: f"CODE-{n:05d}")
    subject = factory.Sequence(lambda n: f"Cannot log in, case {n}")
    description = "It worked yesterday."
    status = factory.SubFactory(TicketStatusFactory)
    priority = factory.SubFactory(TicketPriorityFactory)
    type = factory.SubFactory(TicketTypeFactory)
    created_by = factory.SubFactory(UserFactory)
