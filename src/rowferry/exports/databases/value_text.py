"""How Python writes a value: for databases without templates, and what SQL leaves to be done on its text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rowferry.exports.encoding.blocks import IRREGULAR
from rowferry.exports.encoding.validity import is_valid
from rowferry.exports.encoding.value_types import Representation, ValueType

EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (the day 0 of spreadsheets, on a wall clock)
FIRST_SERIAL = "1900-03-01"
"""Before this day spreadsheets do not agree (1900 was no leap year): earlier days stay text."""
FIRST_INSTANT, LAST_INSTANT = datetime(1900, 3, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""From and up to: what a sheet can show on the clock of every zone. Other instants stay text, in UTC."""
ZEROS = re.compile(r"(?<=\.)(\d*[1-9])0+(?!\d)")
"""Zeros at the end of a fraction of a second: databases differ in whether they keep them."""

MAY_BE_INVALID = {ValueType.DECIMAL, ValueType.FLOAT, ValueType.JSON}
"""Types of which Python holds values that no file may show as such: NaN and infinities."""
WHOLE_MINUTES = re.compile(r".*[+-]\d\d:\d\d").fullmatch
ESCAPED_LETTER = re.compile(rb"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.)", re.DOTALL)


def write_value(value: Any, kind: ValueType, form: Representation, zone: ZoneInfo) -> bytes:
    """A value that is not None, as SQL writes it too; behind IRREGULAR if it is not valid for its type."""
    text = FORMATTERS.get((kind, form), _plain_text)(value, zone)
    cell = text.encode("utf-8", "surrogatepass")
    return IRREGULAR + cell if kind in MAY_BE_INVALID and not is_valid(cell, kind, form) else cell


def unescape_json(cell: bytes) -> bytes:
    """JSON with letters for `\\u00fc`. Controls, quotes, backslashes and lone surrogates stay escaped."""
    return ESCAPED_LETTER.sub(_letter, cell)


def _letter(match: re.Match[bytes]) -> bytes:
    high, low = match.groups()
    if high is None:
        return match[0]
    if low and high[:2].lower() in (b"d8", b"d9", b"da", b"db"):
        code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
        return chr(code).encode()
    code = int(high, 16)
    if code < 0x20 or code == 0x7F or chr(code) in '"\\' or 0xD800 <= code < 0xE000:
        return match[0]
    return chr(code).encode() + (match[0][6:] if low else b"")


def positional(text: bytes) -> bytes:
    """A float without scientific notation and with no more digits than it takes to read it back."""
    try:
        shortest = repr(float(text))
    except ValueError:
        return text
    return (format(Decimal(shortest), "f") if "e" in shortest else shortest).encode()


def exact_float(value: object) -> str | None:
    """What SQLite calls as `rowferry_float`: its own printf gets the last digits of great and small numbers wrong."""
    return None if value is None else positional(str(value).encode()).decode()


def to_zone(text: bytes, zone: ZoneInfo) -> bytes:
    """`2025-10-30T14:15:00Z` on the clock of a zone, with its offset. It stays as it is where that offset is no whole
    minute, as before there were zones: RFC 3339 has no such offsets."""
    try:
        local = without_zeros(datetime.fromisoformat(text.decode()).astimezone(zone).isoformat())
    except (ValueError, OverflowError):
        return text
    return local.encode() if WHOLE_MINUTES(local) else text


def serial_to_zone(text: bytes, zone: ZoneInfo) -> bytes:
    """A serial number of an instant in UTC as the serial number of the zone's wall clock."""
    try:
        instant = EPOCH + timedelta(milliseconds=round(float(text) * 86_400_000))
    except (ValueError, OverflowError):
        return text
    return serial(instant.replace(tzinfo=UTC), zone).encode()


def serial(value: datetime, zone: ZoneInfo) -> str:
    """Days since 1899-12-30 on the wall clock of the zone, cut to the millisecond: rounded up, it might be the next
    day."""
    if not FIRST_INSTANT <= value < LAST_INSTANT:
        return _instant(value, ZoneInfo("UTC"))
    local_time = value.astimezone(zone).replace(tzinfo=None, microsecond=value.microsecond // 1000 * 1000)
    return repr((local_time - EPOCH) / timedelta(days=1))


def without_zeros(text: str) -> str:
    """A time without zeros at the end of its fraction."""
    return ZEROS.sub(r"\1", text) if "." in text else text


def _instant(value: datetime, zone: ZoneInfo) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    text = without_zeros(aware.astimezone(UTC).isoformat().replace("+00:00", "Z"))
    return text if zone.key == "UTC" else to_zone(text.encode(), zone).decode()


def _seconds(value: timedelta, _zone: ZoneInfo) -> str:
    seconds, microseconds = divmod(abs(value // timedelta(microseconds=1)), 1_000_000)
    return f"{'-' if value < timedelta(0) else ''}{seconds}.{microseconds:06d}"


def _plain_text(value: Any, _zone: ZoneInfo) -> str:
    return str(value)


def _day_serial(value: date, _zone: ZoneInfo) -> str:
    return str((value - EPOCH.date()).days) if value.isoformat() >= FIRST_SERIAL else value.isoformat()


FORMATTERS: dict[tuple[ValueType, Representation], Callable[[Any, ZoneInfo], str]] = {
    (ValueType.DECIMAL, Representation.PLAIN): lambda value, _zone: format(value, "f"),
    (ValueType.FLOAT, Representation.PLAIN): lambda value, _zone: positional(repr(value).encode()).decode(),
    (ValueType.BOOLEAN, Representation.PLAIN): lambda value, _zone: "true" if value else "false",
    (ValueType.BOOLEAN, Representation.DIGIT): lambda value, _zone: "1" if value else "0",
    (ValueType.DATE, Representation.SERIAL): _day_serial,
    (ValueType.INSTANT, Representation.PLAIN): _instant,
    (ValueType.INSTANT, Representation.SERIAL): serial,
    (ValueType.TIME, Representation.PLAIN): lambda value, _zone: without_zeros(value.isoformat()),
    (ValueType.DURATION, Representation.PLAIN): _seconds,
    (ValueType.JSON, Representation.PLAIN): lambda value, _zone: json.dumps(value, ensure_ascii=False),
}
