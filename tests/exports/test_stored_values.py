"""Whatever a column holds, a file holds it whole: typed if it is valid for the column, else as text, and counted.

One matrix: every stored value of this database × every format × two time zones × rows that the database writes and rows
that Python does, read by other people's programs.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from openpyxl.utils.datetime import to_excel

from rowferry.exports.databases import open_reader
from rowferry.exports.encoding.blocks import IRREGULAR as MARK
from rowferry.exports.encoding.validity import GRAMMAR, is_valid
from rowferry.exports.encoding.value_types import Representation
from rowferry.exports.formats import FileHeader, FormatColumn, format_writers
from rowferry.exports.resources.filters import Flag
from tests.exports.formats.files import WHEN, WriteOnlyStream
from tests.exports.formats.programs import PROGRAMS, Program
from tests.support.all_types_model import KINDS, Probe, read, rendering
from tests.support.stored_values import VALID, irregular_values, plant

ZONES = ("UTC", "Europe/Berlin")
NAMES = tuple(KINDS)
STRICT = ("csv", "json", "pyarrow", "openpyxl", "calamine", "polars")
"""Programs that refuse a file with a cell that is none of its type, one or two for each format."""
FLOATS = {"NaN": float("nan"), "Inf": float("inf"), "Infinity": float("inf")}
TEXT_IN_PARQUET = {"text", "uuid", "clock", "span", "json"}


def write(format_name: str, zone: str, *, pushdown: bool) -> tuple[bytes, Counter[str]]:
    """The file of all rows, and what was adjusted."""
    writer_class = format_writers()[format_name]
    columns = tuple(
        FormatColumn(name, name, KINDS[name], digits=(15, 3) if name == "decimal" else None) for name in NAMES
    )
    order = FileHeader(
        export_id="", resource="probes", resource_label="Probes", format=format_name, exported_at=WHEN, item_count=None,
        columns=columns, time_zone=zone,
    )  # fmt: skip
    stream = WriteOnlyStream()
    writer = writer_class(order, stream)
    renderings = [rendering(n, writer_class.forms.get(KINDS[n], Representation.PLAIN), zone, guard=True) for n in NAMES]
    with open_reader("default") as reader:
        writer.open()
        for block in reader.blocks(Probe.objects.order_by("pk"), renderings, writer.pushdown if pushdown else None):
            writer.write_block(block)
        writer.close()
    return stream.data, writer.adjustments + reader.adjustments


def is_formula(text: str) -> bool:
    return text.startswith(("=", "+", "@", "\t", "\r"))


def expected(program: Program, column: str, text: str) -> object:
    """What a program reads of a value that is not valid."""
    if program.format in ("csv", "tsv"):
        return f"'{text}" if is_formula(text) else text
    if program.format == "excel":
        is_typed = column not in TEXT_IN_PARQUET
        return text.replace("\0", "\ufffd") or (None if is_typed and program.tells_null else "")
    if program.format == "parquet" and column not in TEXT_IN_PARQUET:
        sign = -1 if text.startswith("-") else 1
        return sign * FLOATS[text.lstrip("-")] if column == "float" and text.lstrip("-") in FLOATS else None
    return text


@pytest.fixture
def row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row a page, so that no value is found because of another one."""
    for module in ("reader", "sqlite.paging", "mysql.reader", "postgresql.reader"):
        monkeypatch.setattr(f"rowferry.exports.databases.{module}.BLOCK_ROWS", 1)


@pytest.mark.usefixtures("committed_probes", "row_by_row")
@pytest.mark.parametrize("pushdown", [True, False], ids=["database", "python"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.name in STRICT], ids=lambda p: f"{p.format} by {p.name}")
def test_a_value_that_is_not_valid_is_text_and_counted(program: Program, zone: str, pushdown: bool) -> None:
    values = irregular_values()
    plant((column, stored) for column, stored, _ in values)
    data, adjusted = write(program.format, zone, pushdown=pushdown)
    rows = program.rows(data)
    assert len(rows) == len(values)
    found = {(column, text): row[NAMES.index(column)] for (column, _, text), row in zip(values, rows, strict=True)}
    wanted = {(column, text): expected(program, column, text) for column, _, text in values}
    assert {key: str(value) for key, value in found.items()} == {key: str(value) for key, value in wanted.items()}
    assert adjusted["irregular_values"] == len(values)
    assert [row[NAMES.index("text")] for row in rows] == [f"beside {column}" for column, _, _ in values]


@pytest.mark.usefixtures("committed_probes")
@pytest.mark.parametrize("pushdown", [True, False], ids=["database", "python"])
@pytest.mark.parametrize(("name", "format_name"), [("csv", "csv"), ("csv", "tsv"), ("json", "ndjson")])
def test_a_valid_value_is_written_alike_on_every_database(name: str, format_name: str, pushdown: bool) -> None:
    # What a program makes of a number or an object of JSON is not its text.
    values = [v for v in VALID[connection.vendor] if name == "csv" or v.column not in ("decimal", "float", "json")]
    plant((value.column, value.stored) for value in values)
    data, adjusted = write(format_name, "UTC", pushdown=pushdown)
    (program,) = [p for p in PROGRAMS if (p.name, p.format) == (name, format_name)]
    found = [row[NAMES.index(v.column)] for v, row in zip(values, program.rows(data), strict=True)]
    if name == "json":
        found = [value if isinstance(value, str) else json.dumps(value) for value in found]
    assert found == [v.plain for v in values]
    assert not adjusted


@pytest.mark.usefixtures("committed_probes")
@pytest.mark.parametrize("pushdown", [True, False], ids=["database", "python"])
def test_a_sheet_holds_it_as_its_type_and_never_rounds_it_to_the_next_day(pushdown: bool) -> None:
    values = VALID[connection.vendor]
    plant((value.column, value.stored) for value in values)
    data, adjusted = write("excel", "UTC", pushdown=pushdown)
    (program,) = [p for p in PROGRAMS if p.name == "openpyxl"]
    found = [as_number(row[NAMES.index(v.column)]) for v, row in zip(values, program.rows(data), strict=True)]
    assert found == [v.plain if v.excel is None else v.excel for v in values]
    assert not adjusted


def as_number(value: object) -> object:
    """The day of a date or an instant as a sheet counts it."""
    return math.floor(to_excel(value)) if isinstance(value, date) else value


@pytest.mark.usefixtures("probes")
def test_each_row_with_a_value_is_either_true_or_false() -> None:
    Probe.objects.bulk_create([Probe(boolean=True), Probe(boolean=False), Probe(boolean=None)])
    odd = [(column, stored) for column, stored, _ in irregular_values() if column == "boolean"]
    plant(odd)
    flag = Flag("boolean")
    true, false = (
        Probe.objects.filter(flag.bind(Probe, {"boolean": value}, ZoneInfo("UTC"))) for value in (True, False)
    )
    assert (true.count(), false.count()) == (1 + len(odd), 1)


@pytest.mark.usefixtures("probes")
@pytest.mark.parametrize("form", Representation)
def test_what_the_database_calls_valid_is_so_by_the_grammar(form: Representation) -> None:
    valid = [(v.column, v.stored) for v in VALID[connection.vendor]]
    plant([*valid, *((column, stored) for column, stored, _ in irregular_values())])
    names = [name for name in NAMES if (KINDS[name], form) in GRAMMAR]
    for row in read(Probe.objects.all(), *(rendering(name, form) for name in names)):
        for name, cell in zip(names, row, strict=True):
            assert cell is None or cell[:1] == MARK or is_valid(cell, KINDS[name], form), (name, cell)


@pytest.mark.usefixtures("committed_probes")
@pytest.mark.parametrize("pushdown", [True, False], ids=["database", "python"])
def test_a_page_with_one_such_value_is_written_as_the_others_are(pushdown: bool) -> None:
    Probe.objects.bulk_create(Probe(integer=n, text=f"{n}") for n in range(4_500))
    column, stored, text = irregular_values()[0]
    plant([(column, stored)])
    Probe.objects.bulk_create(Probe(integer=n, text=f"{n}") for n in range(4_500, 5_000))
    data, adjusted = write("csv", "UTC", pushdown=pushdown)
    (program,) = [p for p in PROGRAMS if (p.name, p.format) == ("csv", "csv")]
    rows = program.rows(data)
    assert rows.pop(4_500)[NAMES.index(column)] == text
    assert [row[NAMES.index("integer")] for row in rows] == [*map(str, range(5_000))]
    assert adjusted == {"irregular_values": 1}
