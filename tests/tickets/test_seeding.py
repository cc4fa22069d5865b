"""Seeded tickets: the same ones each time, never one twice, and as odd as real ones."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F

from rowferry.tickets.models import Ticket
from rowferry.tickets.seeding import seed_tickets
from tests.factories.tickets import TicketFactory

pytestmark = pytest.mark.django_db


def contents() -> list[tuple[Any, ...]]:
    """All that a ticket says, by words and not by keys, which go on from where the last test left them."""
    names = ("ticket_code", "subject", "description", "is_open", "is_resolved", "created_at", "due_date", "updated_at")
    related = ("status__name", "priority__name", "type__name", "assigned_to__username", "created_by__username")
    return list(Ticket.objects.order_by("ticket_code").values_list(*names, *related))


def seeded_afresh(count: int, seed: int) -> list[tuple[Any, ...]]:
    Ticket.objects.all().delete()
    seed_tickets(count, seed)
    return contents()


def test_the_same_seed_makes_the_same_rows_and_another_others():
    first = seeded_afresh(50, seed=7)
    assert seeded_afresh(50, seed=7) == first
    assert seeded_afresh(50, seed=8) != first


def test_two_runs_make_what_one_run_makes():
    at_once = seeded_afresh(50, seed=7)
    seeded_afresh(30, seed=7)
    seed_tickets(20, seed=7)
    assert contents() == at_once


def test_codes_go_on_after_the_highest_one():
    TicketFactory(ticket_code="TCK-0000041")
    assert seed_tickets(3, seed=1) == range(42, 45)
    assert Ticket.objects.count() == 4


def test_the_rows_are_as_odd_as_real_ones():
    seed_tickets(3_000, seed=1)
    subjects = set(Ticket.objects.values_list("subject", flat=True))
    for sign in ("=", "+", "-", "@"):
        assert any(subject.startswith(sign) for subject in subjects), sign
    texts = set(Ticket.objects.values_list("description", flat=True))
    for sign in ('"', ",", "\n", "\r\n", "\t", "ï", "願", "🙏"):
        assert any(sign in text for text in texts), sign
    assert "" in texts


@pytest.mark.parametrize("field", ["assigned_to", "created_by", "due_date"])
def test_what_may_be_missing_is_missing_now_and_then(field):
    seed_tickets(1_000, seed=1)
    assert 0 < Ticket.objects.filter(**{f"{field}__isnull": True}).count() < 1_000


def test_times_and_flags_agree_with_each_other():
    seed_tickets(300, seed=1)
    assert not Ticket.objects.filter(is_open=True, is_resolved=True).exists()
    assert not Ticket.objects.filter(updated_at__lt=F("created_at")).exists()
    assert not Ticket.objects.filter(due_date__lte=F("created_at")).exists()
    assert not Ticket.objects.filter(updated_at__year__gt=2025).exists()


def test_the_command_brings_its_own_people_and_says_what_it_added():
    out = StringIO()
    call_command("seed_tickets", tickets=12, seed=3, stdout=out)
    assert out.getvalue().strip() == "12 tickets added, up to TCK-0000012."
    assert (Ticket.objects.count(), User.objects.count()) == (12, 200)


def test_fewer_than_none_is_refused():
    with pytest.raises(CommandError, match="below zero"):
        call_command("seed_tickets", tickets=-1)
