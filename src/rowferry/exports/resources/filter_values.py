"""One value of a request, checked: what filters are given. Each function names the key in its ValidationError."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

LONGEST_TEXT = 200
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""`date.fromisoformat` would also take a week such as 2025-W44-4."""
WORDS = {"true": True, "false": False}


def integer(name: str, raw: Any) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and len(raw) <= 20 and raw.isascii() and raw.removeprefix("-").isdigit():
        return int(raw)
    raise ValidationError({name: ["Must be a whole number, a list of them, or null for rows without a value."]})


def boolean(name: str, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in WORDS:
        return WORDS[raw.lower()]
    raise ValidationError({name: ["Must be true or false."]})


def text(name: str, raw: Any, expected: str) -> str:
    if isinstance(raw, bool) or not isinstance(raw, (str, int)):
        raise ValidationError({name: [f"Must be {expected}."]})
    text = str(raw)
    if len(text) > LONGEST_TEXT:
        raise ValidationError({name: [f"At most {LONGEST_TEXT} characters; there are {len(text)}."]})
    if "\0" in text:
        raise ValidationError({name: ["Must not hold the character NUL."]})
    return text


def day(name: str, raw: Any) -> date:
    try:
        if not (isinstance(raw, str) and DAY.fullmatch(raw)):
            raise ValueError
        return date.fromisoformat(raw)
    except ValueError:
        raise ValidationError({name: ["Must be a calendar day such as 2025-10-30."]}) from None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant a day begins in a zone, kept within what a datetime can hold."""
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if day.year < 5000 else datetime.max.replace(tzinfo=UTC)


def midnight_after(day: date, zone: ZoneInfo) -> datetime | None:
    """The instant at which a day ends in a zone; None = it is the last day that there is."""
    return None if day == date.max else midnight(day + timedelta(days=1), zone)
