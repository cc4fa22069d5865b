"""Values that Python makes of what is stored, because no database makes them, or not all make the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def value_of(field: models.Field[Any, Any], stored: str | None) -> str | None:
    """The text of a value as the project's own `from_db_value` reads it; None for none."""
    value = field.from_db_value(stored, None, connection)  # type: ignore[attr-defined]
    return None if value is None else str(value)


def json_value(keys: Sequence[str], stored: str | None) -> str | None:
    """The text of what a JSON value holds at these keys (of a list: positions); None if there is nothing, or null.

    Text and numbers are as they are stored, true and false in small letters, objects and lists are JSON again.
    ValueError: the stored text is no JSON.
    """
    value = None if stored is None else json.loads(stored, parse_int=Digits, parse_float=Digits)
    for key in keys:
        value = _member(value, key)
    return value if value is None or isinstance(value, str) else _as_json(value)


class Digits(str):
    """A number of JSON with the digits that it is stored with."""

    __slots__ = ()


def _as_json(value: Any) -> str:
    if isinstance(value, Digits):
        return value
    if isinstance(value, dict):
        members = (f"{_as_json(name)}:{_as_json(member)}" for name, member in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_as_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _member(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    is_position = isinstance(value, list) and key.isdecimal() and int(key) < len(value)
    return value[int(key)] if is_position else None
