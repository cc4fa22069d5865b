"""What records are made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Address = Callable[..., str | None]
"""The absolute URL of an endpoint of the API, by its name and its arguments; None = this installation has no API."""
Record = dict[str, Any]


def instant(moment: datetime | None) -> str | None:
    """RFC 3339, UTC, `Z`."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def pick_fields(value: object, *names: str) -> Record:
    """These attributes of a value."""
    return {name: getattr(value, name) for name in names}
