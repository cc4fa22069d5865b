"""From the database to other people's programs: every format, every kind of value, every registered resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import F

from rowferry.exports.encoding.value_types import FORMULA_STARTS, ValueType
from rowferry.exports.formats import format_writers
from rowferry.exports.models import Export, ExportLog
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.resource import Resource
from tests.exports.execution.test_data_integrity import FILL
from tests.exports.execution.test_data_integrity import TEXTS as FILLED
from tests.exports.formats.corpus import TEXTS, count_replacements, in_format
from tests.exports.formats.programs import PROGRAMS, Program
from tests.support.all_types_model import Probe
from tests.support.making import content, run_export

ON_SQLITE, ON_POSTGRESQL = connection.vendor == "sqlite", connection.vendor == "postgresql"
BERLIN = ZoneInfo("Europe/Berlin")
MILLISECOND = timedelta(milliseconds=1)
READABLE = [text for text in TEXTS.values() if ON_SQLITE or "\x00" not in text]
"""PostgreSQL has no place for NUL, and MariaDB's driver takes it for the end."""
INTEGERS = [0, -1, 10**15 - 1, 10**15, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
DECIMALS = [Decimal(text) for text in ("0.000", "-0.001", "0.100", "999999999999.999", "-999999999999.999", "12.500")]
FLOATS = [0.1 + 0.2, 1e16, -123456789.125, 2.0**53 + 2, 1e-12]
EXTREMES = [1.7976931348623157e308, -1e22, 5e-324]
DAYS = [
    date(1899, 12, 31),
    date(1900, 1, 1),
    date(1900, 2, 28),
    date(1900, 3, 1),
    date(2000, 2, 29),
    date(9999, 12, 31),
]
INSTANTS = [
    datetime.fromisoformat(text).replace(tzinfo=UTC)
    for text in (
        "1899-12-31T23:59:59",
        "1900-02-28T23:59:59",
        "1900-03-01T12:00:00",
        "1900-03-02T00:00:00",
        "2025-03-30T00:59:59",
        "2025-03-30T01:00:00",
        "2025-10-26T00:30:00",
        "2025-10-26T01:30:00",
        "2025-10-30T14:15:07.123456",
        "9999-12-30T23:59:59",
        "9999-12-31T23:59:59",
    )
]
FIRST, LAST = datetime(1900, 3, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: f"{one.format} by {one.name}")


class HostileResource(Resource):
    """A column for each kind that has limits somewhere."""

    model = Probe
    name = "hostile"
    columns = (
        Column("id"),
        Column("integer"),
        Column("decimal"),
        Column("float"),
        Column("boolean"),
        Column("day"),
        Column("instant"),
        Column("text"),
        Column("code", F("text"), kind=ValueType.IDENTIFIER),
        Column("flag", kind=ValueType.BOOLEAN, compute=lambda text: text, needs=("text",), default=False),
        Column("count", kind=ValueType.INTEGER, compute=lambda text: text, needs=("text",), default=False),
        Column("object", kind=ValueType.JSON, compute=lambda text: text, needs=("text",), default=False),
        Column("half", compute=lambda text: f"\ud800{text}", needs=("text",), default=False),
    )


def column(program: Program, name: str, **body: Any) -> list[Any]:
    """One column of the rows in order of their keys, as the program reads it. Beside others: neighbours tell."""
    export = run_export("hostile", format=program.format, columns=["id", name, "code"], **body)
    rows = program.rows(content(export))
    assert [len(row) for row in rows] == [3] * Probe.objects.count()
    return [row[1] for row in rows]


def number(value: Any) -> Decimal:
    """Exactly what was read, whether as text or as a number."""
    return Decimal(repr(value) if isinstance(value, float) else str(value))


def moment(value: Any, zone: ZoneInfo) -> datetime:
    """What was read as an instant: text with its offset, or the clock of the zone, which sheets show."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=zone)


@pytest.mark.usefixtures("probes")
class TestValues:
    @pytest.fixture(autouse=True)
    def hostile(self, declare: Callable[[type[Resource]], Resource]) -> Iterator[None]:
        declare(HostileResource)
        yield
        ContentType.objects.clear_cache()  # what it remembers of Probe is rolled back

    @every_program
    def test_hostile_text_is_read_as_the_database_holds_it(self, program: Program) -> None:
        Probe.objects.bulk_create(Probe(text=text) for text in [*READABLE, None])
        guarded = any(option.name == "formula_guard" for option in format_writers()[program.format].options)
        texts = ["'" + text if guarded and text.startswith(FORMULA_STARTS) else text for text in READABLE]
        expected = [program.sees(text) for text in [*(in_format(program.format, text) for text in texts), None]]
        assert column(program, "text") == expected

    @every_program
    def test_integers_keep_every_digit(self, program: Program) -> None:
        Probe.objects.bulk_create(Probe(integer=value) for value in INTEGERS)
        assert [int(number(value)) for value in column(program, "integer")] == INTEGERS

    @every_program
    def test_decimals_keep_every_digit(self, program: Program) -> None:
        Probe.objects.bulk_create(Probe(decimal=value) for value in DECIMALS)
        assert [number(value) for value in column(program, "decimal")] == DECIMALS

    @every_program
    def test_floats_come_back_to_the_last_bit(self, program: Program) -> None:
        Probe.objects.bulk_create(Probe(float=value) for value in FLOATS)
        assert [float(value) for value in column(program, "float")] == FLOATS

    @pytest.mark.parametrize("name", format_writers())
    def test_the_greatest_and_the_smallest_floats_come_back(self, name: str) -> None:
        """Not to polars and pandas in JSON, which refuse whole numbers beyond 64 bits, as such they look."""
        program = next(one for one in PROGRAMS if one.format == name)
        Probe.objects.bulk_create(Probe(float=value) for value in EXTREMES)
        assert [float(value) for value in column(program, "float")] == EXTREMES

    @every_program
    def test_booleans_and_none(self, program: Program) -> None:
        Probe.objects.bulk_create(Probe(boolean=value) for value in (True, False, None))
        known = {"true": True, "false": False, "": None}
        found = [known[value] if isinstance(value, str) else value for value in column(program, "boolean")]
        assert found == [True, False, None]

    @every_program
    def test_days_of_all_ages(self, program: Program) -> None:
        Probe.objects.bulk_create(Probe(day=value) for value in DAYS)
        found = [value if isinstance(value, str) else f"{value:%Y-%m-%d}" for value in column(program, "day")]
        assert found == [day.isoformat() for day in DAYS]

    @every_program
    @pytest.mark.parametrize("zone", [ZoneInfo("UTC"), BERLIN], ids=lambda zone: zone.key)
    def test_instants_of_all_ages_on_every_clock(self, program: Program, zone: ZoneInfo) -> None:
        if program.format == "parquet":
            zone = ZoneInfo("UTC")  # the last hour of 9999 is in the file, but beyond the clocks of its readers
        Probe.objects.bulk_create(Probe(instant=value) for value in INSTANTS)
        for value, expected in zip(column(program, "instant", time_zone=zone.key), INSTANTS, strict=True):
            if program.format == "excel" and not isinstance(value, str):
                assert FIRST <= expected < LAST
                wall = expected.astimezone(zone).replace(tzinfo=None)
                assert abs(datetime.fromisoformat(value.isoformat()) - wall) <= MILLISECOND
            else:
                assert moment(value, zone) == expected

    @pytest.mark.parametrize("name", format_writers())
    def test_nothing_is_changed_without_being_counted_and_told(self, name: str) -> None:
        Probe.objects.bulk_create(Probe(text=text) for text in READABLE)
        export = run_export("hostile", format=name, columns=["text"])
        longer = [text for text in READABLE if in_format(name, text) != text]
        expected = {}
        if format_writers()[name].max_cell:
            lost = sum(len(in_format(name, text)) < len(text) for text in longer)
            expected = {"replaced_characters": sum(map(count_replacements, longer)), "shortened_cells": lost}
        assert export.manifest["adjustments"] == expected
        assert [f"{count:,}" for count in expected.values() if not has_log_line(export, f"{count:,}")] == []

    @pytest.mark.parametrize("name", format_writers())
    def test_a_lone_surrogate_of_a_computed_column_is_replaced_and_counted(self, name: str) -> None:
        Probe.objects.create(text="x")
        export = run_export("hostile", format=name, columns=["half", "text"])
        program = next(one for one in PROGRAMS if one.format == name)
        assert program.rows(content(export)) == [["\ufffdx", "x"]]
        assert export.manifest["adjustments"] == {"replaced_characters": 1}
        assert has_log_line(export, "1 characters")

    @pytest.mark.parametrize("name", format_writers())
    @pytest.mark.parametrize("kind", ["flag", "count", "object"])
    @pytest.mark.parametrize("text", ['7,"8', "</v><f>1+1</f>", "=1+1", "{", "seven"])
    def test_a_computed_value_that_is_none_of_its_kind_fails_its_row_and_no_other(
        self, name: str, kind: str, text: str
    ) -> None:
        Probe.objects.bulk_create([Probe(text="1"), Probe(text=text), Probe(text="0")])
        export = run_export("hostile", format=name, columns=["id", kind])
        program = next(one for one in PROGRAMS if one.format == name)
        assert len(program.rows(content(export))) == 2
        assert (export.exported_items, export.failed_items) == (2, 1)
        assert ExportLog.objects.filter(export=export, error_message__contains="is no" if kind != "object" else ":")

    @pytest.mark.skipif(not ON_SQLITE, reason="only SQLite keeps bytes that are no text as text")
    @pytest.mark.parametrize("name", format_writers())
    def test_stored_bytes_that_are_no_text_are_replaced_and_counted(self, name: str) -> None:
        Probe.objects.create(text="x")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE probe_probe SET text = CAST(x'41ff42' AS TEXT)")
        export = run_export("hostile", format=name, columns=["id", "text"])
        program = next(one for one in PROGRAMS if one.format == name)
        assert program.rows(content(export))[0][1] == "A\ufffdB"
        assert export.manifest["adjustments"] == {"replaced_characters": 1}


def has_log_line(export: Export, start: str) -> bool:
    return ExportLog.objects.filter(export=export, message__startswith=start).exists()


def names_of_resources() -> list[str]:
    return [resource.name for resource in registry.resources()]


@pytest.mark.django_db
@pytest.mark.parametrize("resource", names_of_resources())
class TestResources:
    @every_program
    def test_every_column_is_read_by_every_program(self, resource: str, program: Program) -> None:
        FILL[resource]()
        columns = [*registry.resource(resource).by_name]
        rows = program.rows(content(run_export(resource, format=program.format, columns=columns)))
        assert [len(row) for row in rows] == [len(columns)] * len(FILLED)

    @pytest.mark.parametrize("name", format_writers())
    def test_a_column_may_be_alone(self, resource: str, name: str) -> None:
        FILL[resource]()
        program = next(one for one in PROGRAMS if one.format == name)
        for column in registry.resource(resource).by_name:
            rows = program.rows(content(run_export(resource, format=name, columns=[column])))
            assert [len(row) for row in rows] == [1] * len(FILLED)

    @pytest.mark.parametrize("name", format_writers())
    def test_there_may_be_no_rows(self, resource: str, name: str) -> None:
        export = run_export(resource, format=name, columns=[*registry.resource(resource).by_name])
        program = next(one for one in PROGRAMS if one.format == name)
        assert program.rows(content(export)) == []
