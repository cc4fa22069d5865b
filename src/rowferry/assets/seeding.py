"""Assets in bulk, as a real inventory would hold them. Asset number n depends on the seed and on n alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from rowferry.assets.models import (
    Asset,
    AssetStatus,
    AssetType,
    Location,
    Manufacturer,
    highest_number,
    ids_by_name,
    insert_rows,
)
from rowferry.assets.people import seed_people
from rowferry.assets.seed_data import ASSIGNABLE, MODELS, NOTES, ODD_NAMES, PLACES, ROOMS, STATUSES

PREFIX = "AST-"
NOW = datetime(2025, 10, 30, 14, 15, tzinfo=UTC)
"""The day the seeded department lives on: dates must not depend on when it is seeded."""
HISTORY = 5 * 365 * 86_400
"""How far back it goes, in seconds."""
FIELDS = (
    "name",
    "asset_tag",
    "serial_number",
    "status",
    "location",
    "assigned_to",
    "manufacturer",
    "asset_type",
    "purchase_date",
    "warranty_expiry_date",
    "created_at",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Pools:
    """What to draw from; a value stands here as often as it should come up, None where rows have no value."""

    statuses: Sequence[tuple[int, bool]]
    """(id, whether somebody may have it)"""
    locations: Sequence[int | None]
    people: Sequence[int | None]
    models: Sequence[tuple[int, int | None, str]]
    """(type id, manufacturer id, name)"""


def seed_assets(count: int, seed: int) -> range:
    """Add `count` assets, and what they point at where missing.

    Returns the numbers of their tags, which go on after the highest there is.
    """
    first = highest_number(Asset, "asset_tag", PREFIX) + 1
    numbers = range(first, first + count)
    insert_rows(Asset, FIELDS, _rows(numbers, seed, _pools()))
    return numbers


@transaction.atomic
def _pools() -> Pools:
    seed_people()
    statuses = ids_by_name(AssetStatus, (name for name, _ in STATUSES))
    types = ids_by_name(AssetType, (kind for kind, _, _ in MODELS))
    makers = ids_by_name(Manufacturer, (maker for _, maker, _ in MODELS if maker))
    people = User.objects.filter(is_active=True).order_by("username").values_list("pk", flat=True)
    return Pools(
        statuses=[(statuses[name], name in ASSIGNABLE) for name, share in STATUSES for _ in range(share)],
        locations=[*_locations(), None, None, None],
        people=[*people, *[None] * 20],
        models=[(types[kind], makers[maker] if maker else None, name) for kind, maker, name in MODELS],
    )


def _locations() -> list[int]:
    """The whole tree of places, made where missing: 4 regions, 8 towns, 16 buildings, 32 rooms."""
    location_ids: dict[int, None] = {}
    for place_path in PLACES:
        for room in ROOMS:
            parent = None
            for name in (*place_path.split("/"), room):
                parent = Location.objects.get_or_create(name=name, parent=parent)[0]
                location_ids[parent.pk] = None
    return list(location_ids)


def _rows(numbers: range, seed: int, pools: Pools) -> Iterator[tuple[Any, ...]]:
    random = Random()  # noqa: S311  (nothing here is secret)
    for number in numbers:
        random.seed((seed << 40) + number)
        yield _row(number, random, pools)


def _row(number: int, random: Random, pools: Pools) -> tuple[Any, ...]:
    """The values of FIELDS."""
    type_id, maker_id, model = random.choice(pools.models)
    status_id, assignable = random.choice(pools.statuses)
    age = random.randrange(HISTORY)
    created_at = NOW - timedelta(seconds=age)
    purchase_date = created_at.date() - timedelta(days=random.randrange(60)) if random.random() < 0.92 else None
    return (
        random.choice(ODD_NAMES) if random.random() < 0.04 else model + random.choice(NOTES),
        f"{PREFIX}{number:07d}",
        _serial(random),
        status_id,
        random.choice(pools.locations),
        random.choice(pools.people) if assignable else None,
        maker_id,
        type_id,
        purchase_date,
        _warranty_end(purchase_date, random),
        created_at,
        created_at + timedelta(seconds=random.randrange(age + 1)),
    )


def _serial(random: Random) -> str | None:
    """Mostly letters and digits; also the ones that programs take for numbers, and none at all."""
    kind = random.random()
    if kind < 0.04:
        return None
    if kind < 0.14:
        return f"{random.randrange(10**6):010d}"
    if kind < 0.18:
        return f"{random.randrange(10**19, 10**20)}"
    if kind < 0.20:
        return f"{random.randrange(1, 100)}E{random.randrange(10, 100)}"
    return f"SN{random.getrandbits(40):010X}"


def _warranty_end(purchase_date: date | None, random: Random) -> date | None:
    if purchase_date is None or random.random() < 0.1:
        return None
    return purchase_date + timedelta(days=365 * random.choice((1, 2, 3, 3, 5)))
