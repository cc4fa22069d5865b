"""Whatever a cell holds, other people's programs read it back: for every format there is, by its being there."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.blocks import CELL, CellBlock
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatWriter, format_writers
from tests.exports.formats.corpus import TEXTS, count_replacements, in_format, many_rows, some_text
from tests.exports.formats.files import WriteOnlyStream, calamine_rows, columns, make, order_for, workbook
from tests.exports.formats.programs import PROGRAMS, Program

EXAMPLES, ROWS = 10, 2_000
"""20,000 hostile rows a format."""
SHEET_ROWS = 1_048_576
MIXED = columns(ValueType.TEXT, ValueType.INTEGER, ValueType.IDENTIFIER)
READY = [writer_class for writer_class in format_writers().values() if writer_class.missing is None]
every_format = pytest.mark.parametrize("writer_class", READY, ids=lambda writer_class: writer_class.name)
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: f"{one.format} by {one.name}")


def seen(program: Program, rows: Sequence[Sequence[str | None]]) -> list[list[Any]]:
    """The rows (text, number, text) as this program is to read them."""

    def text(value: str | None) -> str | None:
        return program.sees(None if value is None else in_format(program.format, value))

    return [[text(first), int(number or 0), text(last)] for first, number, last in rows]


def read(program: Program, data: bytes) -> list[list[Any]]:
    return [[first, int(number), last] for first, number, last in program.rows(data)]


def test_every_format_is_read_by_two_programs_at_least() -> None:
    assert [
        writer_class.name for writer_class in READY if sum(one.format == writer_class.name for one in PROGRAMS) < 2
    ] == []


@every_program
@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_read_as_it_was(program: Program, name: str) -> None:
    rows = [("before", "1", "after"), (TEXTS[name], "2", None), (None, "3", TEXTS[name]), ("", "4", "end")]
    made = make(format_writers()[program.format], MIXED, rows)
    assert read(program, made.data) == seen(program, rows)


@every_format
def test_twenty_thousand_hostile_rows_are_read_as_they_were(writer_class: type[FormatWriter]) -> None:
    programs = [one for one in PROGRAMS if one.format == writer_class.name]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0), st.lists(some_text, max_size=8))
    def check(seed: int, drawn: list[str]) -> None:
        rows = many_rows(seed, drawn, ROWS)
        made = make(writer_class, MIXED, rows, 700)
        for program in programs[:2]:
            assert read(program, made.data) == seen(program, rows)
        texts = [text for first, _, last in rows for text in (first, last) if text]
        expected = sum(map(count_replacements, texts)) if writer_class.name == "excel" else 0
        assert made.writer.adjustments["replaced_characters"] == expected

    check()


@pytest.mark.parametrize(
    ("writer_class", "rows"),
    [
        (writer_class, SHEET_ROWS + more)
        for writer_class in READY
        for more in ((-1, 0, 1) if writer_class.max_rows else (1,))
    ],
    ids=lambda one: str(getattr(one, "name", one)),
)
def test_not_a_row_is_lost_where_a_sheet_ends(writer_class: type[FormatWriter], rows: int) -> None:
    tape = WriteOnlyStream()
    writer = writer_class(order_for(writer_class, columns(ValueType.INTEGER)), tape)
    writer.open()
    for start in range(0, rows, 50_000):
        numbers = range(start, min(start + 50_000, rows))
        writer.write(CellBlock(CELL.join([b"%d" % number for number in numbers]), len(numbers)))
    writer.close()
    assert writer.rows == rows
    assert list(all_numbers(writer_class, tape.data)) == list(range(rows))


def all_numbers(writer_class: type[FormatWriter], data: bytes) -> list[int]:
    """The one column of a file, over all its sheets."""
    if writer_class.max_rows is None:
        polars = next(one for one in PROGRAMS if (one.format, one.name) == (writer_class.name, "polars"))
        return [int(value) for (value,) in polars.rows(data)]
    sheets = len(workbook_names(data)) - 1
    return [int(value) for sheet in range(sheets) for (value,) in calamine_rows(data, sheet)]


def workbook_names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return re.findall('<sheet name="(.*?)"', opened.read("xl/workbook.xml").decode())


@every_program
@pytest.mark.parametrize("kind", [ValueType.TEXT, ValueType.INTEGER])
def test_a_file_of_one_column_has_as_many_rows_as_values(program: Program, kind: ValueType) -> None:
    cells: list[list[str | None]] = [["1"], ["2"], ["3"]]
    found = program.rows(make(format_writers()[program.format], columns(kind), cells).data)
    assert [[str(int(value))] for (value,) in found] == cells


@pytest.mark.parametrize("name", TEXTS)
def test_no_sheet_holds_a_formula(name: str) -> None:
    of = columns(*ValueType)
    rows = [[TEXTS[name]] * len(of), [f"={TEXTS[name]}"] * len(of)]
    data = make(format_writers()["excel"], of, rows, headers="labels").data
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        sheets = [opened.read(part) for part in opened.namelist() if "/worksheets/" in part]
    assert [sheet for sheet in sheets if re.search(rb"<f[\s/>]", sheet)] == []


def test_no_cell_is_a_formula_to_openpyxl() -> None:
    of = columns(ValueType.TEXT, ValueType.IDENTIFIER, ValueType.INTEGER, ValueType.DATE)
    rows = [[f"={text}"[:200]] * len(of) for text in TEXTS.values()]
    book = workbook(make(format_writers()["excel"], of, rows).data)
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
