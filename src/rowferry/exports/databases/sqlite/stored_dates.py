"""Whether dates and instants are stored as Django stores them: `2025-10-30`, `2025-10-30 14:15:00` with or without a
fraction.

SQLite checks such a value in 0.2 to 0.5 µs: a file of rows with four of them would take 1.6 times as long. So a page
has marks around its dates, and Python checks them with operations on whole columns of characters, while SQLite is at
work on the next page. A row of numbers for a spreadsheet carries its dates once more behind it. In JSON the keys are
marks enough.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rowferry.exports.encoding.blocks import IRREGULAR, NULL, SPARE
from rowferry.exports.encoding.validity import DATE
from rowferry.exports.encoding.value_types import ValueType

BEGIN, BETWEEN = IRREGULAR, SPARE
"""Before and behind dates that follow each other, and between two of them. A row that is not valid is IRREGULAR alone,
which is one too few."""
SHAPE = bytes(0x30 if code in b"0123456789" else code for code in range(256))
"""For `translate`: every digit becomes 0."""
MONTHS, DAYS, HOURS = bytes(range(1, 13)), bytes(range(1, 32)), bytes(range(24))
TENS_OF_MINUTES = b"012345"
LONGEST = 28
"""Characters of an instant with its fraction, and one more."""
HIGH_BIT = 0x80
LAST_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ROOM_OF_MONTH = bytes(HIGH_BIT - 1 - day for day in LAST_DAYS).ljust(256, b"\0")
"""For `translate`, by month: what may be added to its last day before the high bit is set."""
TRAILING_ZEROS = re.compile(rb"(?:(\.\d*[1-9])|\.)0+Z")


@dataclass(frozen=True, slots=True)
class StoredDates:
    """Dates in rows: `runs` = the types of those that follow each other, for each place of a row that has some.

    `delimiter` = what stands between two of them in the file; None = they stand behind the row, as they are stored, and
    are no part of it. NULL stands for a value that is not there, unless `null` is given.
    """

    runs: tuple[tuple[ValueType, ...], ...]
    delimiter: bytes | None = None
    null: bytes = NULL

    def take(self, data: bytes, rows: int) -> bytes | None:
        """The page as it stands in the file; None: some date is not valid, or a mark stands where none should."""
        if not self.runs:
            return data
        parts, runs = data.split(BEGIN), len(self.runs)
        if len(parts) != 2 * runs * rows + 1:
            return None
        dates = parts[1::2]
        end = b"" if self.delimiter is None else b"Z"
        if not all(are_valid(dates[run::runs], kinds, end) for run, kinds in enumerate(self.runs)):
            return None
        if self.delimiter is None:
            return b"".join(parts[::2])
        table = bytes.maketrans(BETWEEN, self.delimiter)
        written = BEGIN.join(dates).translate(table, b"" if self.null == NULL else NULL)
        parts[1::2] = without_trailing_zeros(written).split(BEGIN)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class DatesInObjects:
    """Dates in JSON objects: `members` = what stands before each, with its type. A quote within a text of JSON is
    escaped, so that nothing else looks so but what is within a column of JSON."""

    members: tuple[tuple[bytes, ValueType], ...]

    def take(self, data: bytes, rows: int) -> bytes | None:
        """The page as it stands in the file; None: some date is not valid."""
        for before, kind in self.members:
            first, *parts = data.split(before)
            dates = _dates_of(parts, kind)
            if dates is None:
                return None
            joined = b"".join(dates)
            if b"." in joined and b'0Z"' in joined:
                parts = [_without_zeros(date) + part[len(date) :] for date, part in zip(dates, parts, strict=True)]
                data = before.join([first, *parts])
        return data


def _dates_of(parts: Sequence[bytes], kind: ValueType) -> list[bytes] | None:
    """The date that each part begins with, and the quote behind it; None: some is not valid."""
    if not parts:
        return []
    length = parts[0].find(b'"') + 1
    dates = [part[:length] for part in parts]
    if _are_alike(dates, (kind,), b'Z"'):
        return dates
    dates = [part[:LONGEST].partition(b'"')[0] + b'"' for part in parts]
    return dates if are_valid(dates, (kind,), b'Z"') else None


def _without_zeros(date: bytes) -> bytes:
    return TRAILING_ZEROS.sub(rb"\1Z", date) if b"." in date else date


def without_trailing_zeros(dates: bytes) -> bytes:
    """The dates without zeros at the end of a fraction of a second."""
    fractions = dates.count(b".")
    if not fractions or b"0Z" not in dates:
        return dates
    if fractions < dates.count(b"Z"):
        return _without_zeros(dates)
    while b"0Z" in dates:
        dates = dates.replace(b"0Z", b"Z")
    return dates.replace(b".Z", b"Z")


def are_valid(rows: Sequence[bytes], kinds: Sequence[ValueType], end: bytes = b"") -> bool:
    """Whether each row holds a valid value or NULL for each kind, with BETWEEN between two of them. `end` = what is
    behind each instant: a Z, if any, and what is behind each date as well."""
    groups = dict.fromkeys(map(len, rows), rows)
    if len(groups) > 1:
        groups = {length: [row for row in rows if len(row) == length] for length in groups}
    return all(_are_alike(group, kinds, end) or _match(group, kinds, end) for group in groups.values())


def _match(rows: Sequence[bytes], kinds: Sequence[ValueType], end: bytes) -> bool:
    """One row after the other."""
    return all(map(_pattern(tuple(kinds), end).fullmatch, rows))


@cache
def _pattern(kinds: tuple[ValueType, ...], end: bytes) -> re.Pattern[bytes]:
    instant = DATE + rb"[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
    values = (DATE + end[1:] if kind is ValueType.DATE else instant + end for kind in kinds)
    return re.compile(BETWEEN.join(rb"(?:" + NULL + rb"|" + value + rb")" for value in values))


def _are_alike(rows: Sequence[bytes], kinds: Sequence[ValueType], end: bytes) -> bool:
    """Whether the first row is valid, and the others are as it is but for other digits, which are valid too."""
    data, first, count = b"".join(rows), rows[0], len(rows)
    if not _match([first], kinds, end) or data.translate(SHAPE) != first.translate(SHAPE) * count:
        return False
    columns, start = _Columns(data, len(first), count), 0
    for value, kind in zip(first.split(BETWEEN), kinds, strict=True):
        if value != NULL and not columns.are_valid(start, has_time=kind is ValueType.INSTANT):
            return False
        start += len(value) + 1
    return b"0000-" not in data and all(map(isleap, _years_of_leap_days(data)))


def _years_of_leap_days(data: bytes) -> Iterator[int]:
    """The years of every 29 February; dates have been looked at but for that."""
    end = data.find(b"-02-29")
    while end >= 0:
        yield int(data[end - 4 : end])
        end = data.find(b"-02-29", end + 1)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of characters: the n-th of each row."""

    data: bytes
    width: int
    rows: int

    def numbers(self, index: int) -> bytes:
        """The numbers of two digits at this place, a byte for each row."""
        zeros = int.from_bytes(b"0" * self.rows)
        tens, ones = (int.from_bytes(self.data[index + n :: self.width]) - zeros for n in (0, 1))
        return (10 * tens + ones).to_bytes(self.rows)

    def are_valid(self, start: int, *, has_time: bool) -> bool:
        """Whether the digits from here on are those of dates, if there is a 29 February each year, or of instants."""
        months, days = self.numbers(start + 5), self.numbers(start + 8)
        if months.translate(None, MONTHS) or days.translate(None, DAYS):
            return False
        sums = int.from_bytes(days) + int.from_bytes(months.translate(ROOM_OF_MONTH))
        if sums & int.from_bytes(bytes([HIGH_BIT]) * self.rows):
            return False
        return not has_time or not (
            self.numbers(start + 11).translate(None, HOURS)
            or self.data[start + 14 :: self.width].translate(None, TENS_OF_MINUTES)
            or self.data[start + 17 :: self.width].translate(None, TENS_OF_MINUTES)
        )
