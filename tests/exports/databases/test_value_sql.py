"""Each kind of value as the database writes it, against literal text and against the same rendering in Python."""

from __future__ import annotations

import json
import re
import struct
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import TextField, Value
from django.db.models.functions import Cast, Concat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowferry.exports.databases.generic import GenericReader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.value_types import FORMULA_STARTS, Representation
from tests.support.all_types_model import KINDS, Probe, one, read, rendering, rows_of

pytestmark = pytest.mark.usefixtures("probes")

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York")
PLAIN = [
    ("integer", 0, b"0"),
    ("integer", 2**63 - 1, b"9223372036854775807"),
    ("integer", -(2**63), b"-9223372036854775808"),
    ("decimal", Decimal("1.500"), b"1.500"),
    ("decimal", Decimal("-0.001"), b"-0.001"),
    ("decimal", Decimal("0.000"), b"0.000"),
    ("decimal", Decimal("123456789012.345"), b"123456789012.345"),
    ("float", 0.1, b"0.1"),
    ("float", 1e-7, b"0.0000001"),
    ("float", 1e300, b"1" + b"0" * 300),
    ("float", 5e-324, b"0." + b"0" * 323 + b"5"),
    ("float", 1.7976931348623157e308, b"17976931348623157" + b"0" * 292),
    ("float", -1234.5, b"-1234.5"),
    ("float", 3.0, b"3.0"),
    ("boolean", True, b"true"),
    ("boolean", False, b"false"),
    ("day", date(1899, 12, 31), b"1899-12-31"),
    ("day", date(1, 1, 1), b"0001-01-01"),
    ("day", date(9999, 12, 31), b"9999-12-31"),
    ("instant", datetime(2025, 10, 30, 14, 15, tzinfo=UTC), b"2025-10-30T14:15:00Z"),
    ("instant", datetime(2025, 10, 30, 14, 15, 0, 123456, tzinfo=UTC), b"2025-10-30T14:15:00.123456Z"),
    ("instant", datetime(2025, 10, 30, 14, 10, 0, 500000, tzinfo=UTC), b"2025-10-30T14:10:00.5Z"),
    ("instant", datetime(2025, 10, 30, 14, 10, 0, 1, tzinfo=UTC), b"2025-10-30T14:10:00.000001Z"),
    ("instant", datetime(1, 1, 1, tzinfo=UTC), b"0001-01-01T00:00:00Z"),
    ("text", "", b""),
    ("text", "Zoë", b"Zo\xc3\xab"),
    ("uuid", UUID("00112233-4455-6677-8899-aabbccddeeff"), b"00112233-4455-6677-8899-aabbccddeeff"),
    ("clock", time(14, 10), b"14:10:00"),
    ("clock", time(0, 0, 0, 120000), b"00:00:00.12"),
    ("span", timedelta(hours=1, minutes=1, seconds=1.5), b"3661.500000"),
    ("span", -timedelta(microseconds=500_000), b"-0.500000"),
    ("span", timedelta(days=100_000, microseconds=1), b"8640000000.000001"),
    ("json", {"a": 1}, b'{"a": 1}'),
    ("json", ["x", None, True], b'["x", null, true]'),
]


def trim_fraction(cell):
    """SQLite keeps the zeros at the end of an instant's fraction, PostgreSQL does not."""
    return re.sub(rb"(T[0-9:]+\.\d*[1-9])0+(?=\D)", rb"\1", cell) if cell else cell


@pytest.mark.parametrize("name, value, text", PLAIN)
def test_a_value_is_written_plainly(name, value, text):
    assert trim_fraction(one(rendering(name), **{name: value})) == text
    assert rendering(name).text(value) == text


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("form", Representation)
@pytest.mark.parametrize("zone", ZONES[:2])
def test_a_value_that_is_not_there_is_null_in_every_form_and_zone(name, form, zone):
    assert one(rendering(name, form, zone, guard=True)) is None


SERIALS = [
    ("day", date(1899, 12, 31), b"1899-12-31"),
    ("day", date(1900, 2, 28), b"1900-02-28"),
    ("day", date(1900, 3, 1), b"61"),
    ("day", date(2025, 10, 30), b"45960"),
    ("day", date(9999, 12, 31), b"2958465"),
    ("boolean", True, b"1"),
    ("boolean", False, b"0"),
]


@pytest.mark.parametrize("name, value, text", SERIALS)
def test_days_and_booleans_are_numbers_where_a_sheet_wants_them(name, value, text):
    given = rendering(name, Representation.DIGIT if name == "boolean" else Representation.SERIAL)
    assert one(given, **{name: value}) == text
    assert given.text(value) == text


INSTANTS = [
    datetime(1900, 3, 2, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC),  # Berlin: the last second before the hour that does not exist
    datetime(2025, 3, 30, 1, tzinfo=UTC),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),  # Berlin: 02:30 for the first time
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC),  # and for the second
    datetime(2025, 10, 30, 14, 15, 33, 250000, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC),
]
AT_THE_ENDS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1899, 12, 31, 23, 30, 0, 500000, tzinfo=UTC),
    datetime(1900, 2, 28, 23, 30, tzinfo=UTC),
    datetime(1900, 3, 1, 23, 59, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("value", INSTANTS, ids=str)
def test_an_instant_is_the_number_of_its_wall_clock(value, zone):
    given = rendering("instant", Representation.SERIAL, zone)
    written = one(given, instant=value)
    assert written is not None
    assert round(float(written) * 86_400_000) == round(float(given.text(value)) * 86_400_000)
    assert b"e" not in written


def test_the_number_of_an_instant_is_that_of_excel():
    given = rendering("instant", Representation.SERIAL, "Europe/Berlin")
    assert one(given, instant=datetime(2025, 10, 30, 5, tzinfo=UTC)) == b"45960.25"
    assert given.text(datetime(2025, 10, 30, 5, tzinfo=UTC)) == b"45960.25"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("value", AT_THE_ENDS, ids=str)
def test_an_instant_that_no_sheet_can_show_stays_text_in_utc(value, zone):
    given = rendering("instant", Representation.SERIAL, zone)
    assert trim_fraction(one(given, instant=value)) == rendering("instant").text(value) == given.text(value)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("value", INSTANTS + AT_THE_ENDS, ids=str)
def test_an_instant_is_on_the_clock_of_the_zone(value, zone):
    given = rendering("instant", Representation.PLAIN, zone)
    assert trim_fraction(one(given, instant=value)) == given.text(value)


@pytest.mark.parametrize(
    "zone, hour, text",
    [
        ("Europe/Berlin", 0, b"2025-10-26T02:30:00+02:00"),
        ("Europe/Berlin", 1, b"2025-10-26T02:30:00+01:00"),
        ("Asia/Kolkata", 0, b"2025-10-26T06:00:00+05:30"),
        ("Etc/UTC", 0, b"2025-10-26T00:30:00+00:00"),
    ],
)
def test_an_hour_that_comes_twice_keeps_its_offset(zone, hour, text):
    assert one(rendering("instant", zone=zone), instant=datetime(2025, 10, 26, hour, 30, tzinfo=UTC)) == text


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 2**53 + 2.0, 123456789.123456789])
def test_a_float_is_read_back_as_it_was(value):
    written = one(rendering("float"), float=value)
    assert float(written) == value
    assert written == rendering("float").text(value)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_is_read_back_as_it_was(value):
    written = one(rendering("float"), float=value)
    assert struct.pack("d", float(written)) == struct.pack("d", value + 0.0)
    assert b"e" not in written


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.decimals(min_value=-999_999_999, max_value=999_999_999, places=3),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(min_value=timedelta(days=-100_000), max_value=timedelta(days=100_000)),
    st.times(),
)
def test_the_database_and_python_write_the_same(decimal, instant, span, clock):
    names = {"decimal": decimal, "instant": instant, "span": span, "clock": clock}
    probe = Probe.objects.create(**names)
    renderings = [rendering(name, zone="Europe/Berlin") for name in names]
    assert read(Probe.objects.filter(pk=probe.pk), *renderings) == [
        [each.text(value) for each, value in zip(renderings, names.values(), strict=True)]
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_the_reader_for_any_database_gives_the_same(zone):
    for name, value, _ in PLAIN:
        Probe.objects.create(**{name: value})
    renderings = [rendering(name, zone=zone, guard=True) for name in KINDS]
    rows = Probe.objects.order_by("pk")
    with GenericReader("default") as reader:
        found = rows_of(reader, rows, renderings)
    assert found == [[trim_fraction(cell) for cell in row] for row in read(rows, *renderings)]


def test_json_holds_every_character():
    value = {"ü": ["\U0001f600", '"', "\\", "\n", "\x1f"], "n": 1.5}
    assert json.loads(one(rendering("json"), json=value)) == value


@pytest.mark.parametrize(
    "character", [chr(code) for code in [*range(1, 0x30), *range(0x3A, 0x42), 0x7F, 0xC4, 0x1F600]]
)
def test_the_guard_is_the_rule_of_the_contract(character):
    text = f"{character}1+1"
    expected = f"'{text}" if character in "=+-@\t\r" else text
    assert one(rendering("text", guard=True), text=text) == expected.encode()
    assert one(rendering("text"), text=text) == text.encode()


@pytest.mark.parametrize("text", ["", "Zürich", "Äpfel = 3", "a=1", "'=1", " =1", "\n=1", "0", "é-"])
def test_what_looks_like_no_formula_is_left_alone(text):
    assert one(rendering("text", guard=True), text=text) == text.encode()


@pytest.mark.parametrize("character", FORMULA_STARTS)
def test_a_lone_first_character_is_guarded_too(character):
    assert one(rendering("text", guard=True), text=character) == f"'{character}".encode()


@pytest.mark.parametrize(
    "name, value", [("integer", -5), ("decimal", Decimal("-5.000")), ("float", -5.5), ("span", -timedelta(seconds=5))]
)
def test_numbers_are_never_guarded(name, value):
    assert one(rendering(name, guard=True), **{name: value}) == rendering(name).text(value)


def test_the_path_of_a_rendering_may_be_an_expression():
    Probe.objects.create(text="=1", integer=7)
    shown = CellExpression(
        Concat("text", Value("%s {x} ", TextField()), Cast("integer", TextField())), KINDS["text"], guard=True
    )
    assert read(Probe.objects.all(), shown) == [[b"'=1%s {x} 7"]]


def test_a_scale_that_only_the_model_knows_is_kept():
    probe = Probe.objects.create(decimal=Decimal("2"))
    with transaction.atomic(), connection.cursor() as cursor:
        column = connection.ops.quote_name("decimal")
        cursor.execute(f"UPDATE probe_probe SET {column} = 2 WHERE id = %s", [probe.pk])
    assert read(Probe.objects.filter(pk=probe.pk), CellExpression("decimal", KINDS["decimal"], places=3)) == [
        [b"2.000"]
    ]
