"""A page of dates is valid if each of its dates is, one by one."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rowferry.exports.databases.sqlite.stored_dates import BEGIN, BETWEEN, DatesInObjects, StoredDates, are_valid
from rowferry.exports.encoding.blocks import NULL
from rowferry.exports.encoding.value_types import ValueType

DATE, INSTANT = ValueType.DATE, ValueType.INSTANT
DAYS = st.dates().map(lambda day: day.isoformat().encode())
INSTANTS = st.datetimes().map(lambda moment: str(moment).encode())
BROKEN = st.tuples(DAYS | INSTANTS, st.integers(0, 30), st.binary(min_size=1, max_size=1)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
)
NEAR = st.sampled_from(
    """2025-02-29,2024-02-29,1900-02-29,2000-02-29,2025-04-31,2025-12-32,2025-00-10,2025-10-00,2025-13-01,0000-01-01
2025-10-30 24:00:00,2025-10-30 10:60:00,2025-10-30 10:00:60,2025-10-30 10:00,2025-10-30 10:00:00.,,2025-10-3
2025-10-30 10:00:00.1234567,02025-11-01""".replace("\n", ",")
    .encode()
    .split(b",")
) | st.just(NULL)
VALUES = DAYS | INSTANTS | BROKEN | NEAR


def is_valid(value: bytes, kind: ValueType) -> bool:
    """One value, by Python's own calendar."""
    if value == NULL:
        return True
    try:
        if kind is DATE:
            return date.fromisoformat(value.decode()).isoformat().encode() == value
        if not re.fullmatch(rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?", value):
            return False
        return datetime.fromisoformat(value.decode()) is not None
    except ValueError:
        return False


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=12))
@example([(b"2025-10-3", b"2025-10-30 10:00:00"), (b"02025-11-01", b"2025-10-30 10:00:00")])
@example([(b"2025-10-30", b"2025-10-30 10:00:00.5"), (b"2025-10-30", b"2025-10-30 10:00:00.6")])
def test_many_rows_are_valid_if_each_value_is(pairs: list[tuple[bytes, bytes]]) -> None:
    pairs = [pair for pair in pairs if BETWEEN not in b"".join(pair)]
    expected = all(is_valid(day, DATE) and is_valid(moment, INSTANT) for day, moment in pairs)
    assert are_valid([BETWEEN.join(pair) for pair in pairs], (DATE, INSTANT)) == expected


@given(st.lists(st.tuples(DAYS, INSTANTS, INSTANTS), min_size=1, max_size=30))
def test_dates_of_python_are_valid(rows: list[tuple[bytes, bytes, bytes]]) -> None:
    assert are_valid([BETWEEN.join(row) for row in rows], (DATE, INSTANT, INSTANT))


def test_a_page_loses_its_marks_and_the_zeros_of_its_fractions() -> None:
    dates = StoredDates(((DATE, INSTANT), (DATE,)), b",", null=b"")
    row = (
        b"1,"
        + BEGIN
        + b"2025-10-30"
        + BETWEEN
        + b"2025-10-30T10:00:00.500000Z"
        + BEGIN
        + b",a0Z,"
        + BEGIN
        + b"\xff"
        + BEGIN
    )
    page = row + b"\r\n" + row.replace(b".500000", b"") + b"\r\n"
    assert (
        dates.take(page, 2) == b"1,2025-10-30,2025-10-30T10:00:00.5Z,a0Z,\r\n1,2025-10-30,2025-10-30T10:00:00Z,a0Z,\r\n"
    )
    assert dates.take(page, 3) is None
    assert dates.take(page.replace(b"10-30T", b"02-30T"), 2) is None
    assert dates.take(page + BEGIN, 2) is None


@pytest.mark.parametrize("stored", ["2025-10-30", "2025-10-3", "2025-10-30 ", '2025-10-30\\"', "2025-02-29"])
def test_dates_in_objects_end_with_their_quote(stored: str) -> None:
    page = b'{"a":null,"b":"x"},\n{"a":"%b","b":"\\"a\\":\\"no"}' % stored.encode()
    assert (DatesInObjects(((b'"a":"', DATE),)).take(page, 2) == page) == (stored == "2025-10-30")
