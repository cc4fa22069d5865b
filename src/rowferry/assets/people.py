"""The people of the seeded department: the same two hundred every time, none of whom can log in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

JOINED = datetime(2020, 1, 6, 8, tzinfo=UTC)
FIRST_NAMES = (
    ("Zoë", "zoe"),
    ("José", "jose"),
    ("Łukasz", "lukasz"),
    ("Søren", "soren"),
    ("Anna-Lena", "annalena"),
    ("Chloé", "chloe"),
    ("太郎", "taro"),
    ("Priya", "priya"),
    ("Amara", "amara"),
    ("Юлия", "yulia"),
    ("محمد", "mohammed"),
    ("Grace", "grace"),
    ("Tiago", "tiago"),
    ("Wei", "wei"),
    ("İpek", "ipek"),
    ("Ben", "ben"),
    ("Maja", "maja"),
    ("Noor", "noor"),
    ("Oliver", "oliver"),
    ("Thandiwe", "thandiwe"),
)
LAST_NAMES = (
    ("O’Connor", "oconnor"),
    ("Müller", "mueller"),
    ("García Márquez", "garcia"),
    ("山田", "yamada"),
    ("van der Berg", "vanderberg"),
    ("Nowak", "nowak"),
    ("Okafor", "okafor"),
    ("Smith, Jr.", "smith"),
    ("Đặng", "dang"),
    ("Åkesson", "akesson"),
)
"""(as written, as in a username)"""
NAMELESS_EVERY = 25
"""Of so many accounts one has no name, as shared accounts do."""


def seed_people() -> int:
    """Add those who are missing, and leave everybody else as they are; returns how many there are."""
    people = list(_people())
    User.objects.bulk_create(people, ignore_conflicts=True)
    return len(people)


def _people() -> Iterator[User]:
    for number, (first, last) in enumerate(product(FIRST_NAMES, LAST_NAMES), start=1):
        has_name = number % NAMELESS_EVERY != 0
        username = f"{first[1]}.{last[1]}"
        yield User(
            username=username,
            first_name=first[0] if has_name else "",
            last_name=last[0] if has_name else "",
            email=f"{username}@example.com",
            password=make_password(None),
            date_joined=JOINED,
        )
