"""Tickets in bulk, as a real help desk would hold them. Ticket number n depends on the seed and on n alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction

from rowferry.assets.models import highest_number, ids_by_name, insert_rows
from rowferry.tickets.models import Ticket, TicketPriority, TicketStatus, TicketType
from rowferry.tickets.seed_data import (
    LOG_LINE,
    ODD_SUBJECTS,
    PRIORITIES,
    SENTENCES,
    STATUSES,
    SUBJECTS,
    SYSTEMS,
    TYPES,
)

PREFIX = "TCK-"
NOW = datetime(2025, 10, 30, 14, 15, tzinfo=UTC)
"""The day the seeded help desk lives on: dates must not depend on when it is seeded."""
HISTORY = 3 * 365 * 86_400
"""How far back it goes, in seconds."""
FIELDS = (
    "ticket_code",
    "subject",
    "description",
    "status",
    "priority",
    "type",
    "assigned_to",
    "created_by",
    "is_open",
    "is_resolved",
    "created_at",
    "due_date",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Pools:
    """What to draw from; a value stands here as often as it should come up."""

    statuses: Sequence[tuple[int, bool, bool]]
    """(id, open, resolved)"""
    priorities: Sequence[tuple[int, timedelta]]
    """(id, time until due)"""
    types: Sequence[int]
    people: Sequence[int]


def seed_tickets(count: int, seed: int) -> range:
    """Add `count` tickets, and what they point at where missing.

    Returns the numbers of their codes, which go on after the highest there is.
    """
    first = highest_number(Ticket, "ticket_code", PREFIX) + 1
    numbers = range(first, first + count)
    insert_rows(Ticket, FIELDS, _rows(numbers, seed, _pools()))
    return numbers


@transaction.atomic
def _pools() -> Pools:
    call_command("seed_people", verbosity=0)
    statuses = ids_by_name(TicketStatus, (row[0] for row in STATUSES))
    priorities = ids_by_name(TicketPriority, (row[0] for row in PRIORITIES))
    people = User.objects.filter(is_active=True).order_by("username").values_list("pk", flat=True)
    return Pools(
        statuses=[
            (statuses[name], is_open, is_resolved)
            for name, is_open, is_resolved, share in STATUSES
            for _ in range(share)
        ],
        priorities=[
            (priorities[name], timedelta(hours=hours)) for name, hours, share in PRIORITIES for _ in range(share)
        ],
        types=list(ids_by_name(TicketType, TYPES).values()),
        people=list(people),
    )


def _rows(numbers: range, seed: int, pools: Pools) -> Iterator[tuple[Any, ...]]:
    random = Random()  # noqa: S311  (nothing here is secret)
    for number in numbers:
        random.seed((seed << 40) + number)
        yield _row(number, random, pools)


def _row(number: int, random: Random, pools: Pools) -> tuple[Any, ...]:
    """The values of FIELDS."""
    status_id, is_open, is_resolved = random.choice(pools.statuses)
    priority_id, time_to_due = random.choice(pools.priorities)
    age = random.randrange(HISTORY)
    created_at = NOW - timedelta(seconds=age)
    return (
        f"{PREFIX}{number:07d}",
        _subject(random),
        _description(random),
        status_id,
        priority_id,
        random.choice(pools.types),
        random.choice(pools.people) if random.random() < 0.8 else None,
        random.choice(pools.people) if random.random() < 0.99 else None,
        is_open,
        is_resolved,
        created_at,
        created_at + time_to_due if random.random() < 0.7 else None,
        created_at + timedelta(seconds=random.randrange(age + 1)),
    )


def _subject(random: Random) -> str:
    if random.random() < 0.04:
        return random.choice(ODD_SUBJECTS)
    return random.choice(SUBJECTS).format(system=random.choice(SYSTEMS))


def _description(random: Random) -> str:
    """Nothing, some sentences, or now and then a pasted log."""
    kind = random.random()
    if kind < 0.05:
        return ""
    if kind < 0.06:
        return "".join(LOG_LINE.format(minute=minute, second=random.randrange(60)) for minute in range(20))
    return " ".join(random.choices(SENTENCES, k=random.randrange(1, 6)))
