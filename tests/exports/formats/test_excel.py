"""Values in Excel, read back by openpyxl and calamine."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats.excel import ExcelWriter
from tests.exports.formats.files import calamine_rows, columns, excel_rows, hostile_text, in_excel, make, workbook

TEXT = columns(ValueType.TEXT)
LONGEST = 32_767


def one(kind: ValueType, cell: str | None) -> Any:
    """A cell of this kind as openpyxl reads it; between others, since neighbours may hide a mistake."""
    rows = excel_rows(make(ExcelWriter, columns(ValueType.INTEGER, kind, ValueType.TEXT), [("1", cell, "end")]).data)
    assert (rows[0][0], rows[0][2]) == (1, "end")
    return rows[0][1]


small_integers = st.integers(-(10**15) + 1, 10**15 - 1)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.none() | hostile_text, st.none() | small_integers, hostile_text), max_size=30),
    st.integers(1, 7),
)
def test_any_text_comes_back_but_for_what_xml_forbids(
    rows: list[tuple[str | None, int | None, str]], size: int
) -> None:
    cells = [(text, None if number is None else str(number), code) for text, number, code in rows]
    made = make(ExcelWriter, columns(ValueType.TEXT, ValueType.INTEGER, ValueType.IDENTIFIER), cells, size)
    expected = [[None if text is None else in_excel(text), number, in_excel(code)] for text, number, code in rows]
    assert excel_rows(made.data) == expected
    assert calamine_rows(made.data) == [["" if value is None else value for value in row] for row in expected]
    assert made.writer.rows == len(rows)


@settings(deadline=None)
@given(st.lists(hostile_text))
def test_each_character_that_xml_forbids_is_counted(texts: list[str]) -> None:
    made = make(ExcelWriter, TEXT, [[text] for text in texts])
    replaced = sum(a != b for text in texts for a, b in zip(text, in_excel(text), strict=True))
    assert made.writer.adjustments["replaced_characters"] == replaced


def test_nothing_is_counted_where_nothing_was_changed() -> None:
    assert not make(ExcelWriter, TEXT, [["crème\r\n_x0041_ <&>"]]).writer.adjustments


@pytest.mark.parametrize(
    ("cell", "expected", "replaced"),
    [
        (b"a\xed\xa0\x80b", "a\ufffdb", 1),
        (b"\xc3(", "\ufffd(", 1),
        (b"ok\xf8", "ok\ufffd", 1),
        (b"\xfd", "\ufffd", 1),
        (b"\xef\xbf\xbd is not new \xc0", "\ufffd is not new \ufffd", 1),
    ],
)
def test_bytes_that_are_no_utf8_are_replaced_and_counted(cell: bytes, expected: str, replaced: int) -> None:
    made = make(ExcelWriter, columns(ValueType.TEXT, ValueType.TEXT), [[cell, "é"], [None, cell]])
    assert excel_rows(made.data) == [[expected, "é"], [None, expected]]
    assert made.writer.adjustments["replaced_characters"] == 2 * replaced


def test_broken_cells_do_not_complete_each_other() -> None:
    made = make(ExcelWriter, columns(ValueType.TEXT, ValueType.TEXT), [[b"a\xc3", b"\xa9b"]])
    assert excel_rows(made.data) == [["a\ufffd", "\ufffdb"]]


def test_null_is_an_empty_cell_and_empty_text_is_text() -> None:
    rows = [(None, "", None), ("", None, "1"), (None, None, None), ("a", "b", "2")]
    made = make(ExcelWriter, columns(ValueType.TEXT, ValueType.IDENTIFIER, ValueType.INTEGER), rows)
    assert excel_rows(made.data) == [[None, "", None], ["", None, 1], [None] * 3, ["a", "b", 2]]


@pytest.mark.parametrize("kind", ValueType)
def test_null_is_an_empty_cell_in_every_kind(kind: ValueType) -> None:
    for values in ([None], [None, "1", None], ["1", None, None, "1"], [None, " 1 ", None]):
        cells = [[value] for value in values if value != " 1 " or kind == ValueType.TEXT]
        rows = excel_rows(make(ExcelWriter, columns(kind), cells).data)
        assert [row[0] is None for row in rows] == [cell[0] is None for cell in cells]


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        (ValueType.INTEGER, "-42", -42),
        (ValueType.DECIMAL, "12.50", 12.5),
        (ValueType.FLOAT, "1e-07", 1e-07),
        (ValueType.BOOLEAN, "1", True),
        (ValueType.BOOLEAN, "0", False),
        (ValueType.DATE, "45960", datetime(2025, 10, 30)),
        (ValueType.INSTANT, "45960.59375", datetime(2025, 10, 30, 14, 15)),
        (ValueType.IDENTIFIER, "007", "007"),
        (ValueType.TEXT, "=1+1", "=1+1"),
        (ValueType.UUID, "0f0c", "0f0c"),
        (ValueType.TIME, "14:15:00", "14:15:00"),
        (ValueType.DURATION, "1 day", "1 day"),
        (ValueType.JSON, '{"a": "<b>"}', '{"a": "<b>"}'),
    ],
)
def test_each_kind_has_its_type(kind: ValueType, cell: str, expected: object) -> None:
    value = one(kind, cell)
    assert value == expected
    assert type(value) is type(expected)


def test_dates_look_like_dates() -> None:
    sheet = workbook(
        make(ExcelWriter, columns(ValueType.DATE, ValueType.INSTANT), [("45960", "45960.5")]).data
    ).worksheets[0]
    assert [cell.number_format for cell in sheet[2]] == [r"yyyy\-mm\-dd", r"yyyy\-mm\-dd\ hh:mm:ss"]
    made = make(ExcelWriter, columns(ValueType.DATE, ValueType.INSTANT), [("45960", "45960.5")])
    assert calamine_rows(made.data) == [[date(2025, 10, 30), datetime(2025, 10, 30, 12)]]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (ValueType.INTEGER, str(2**53 - 1)),
        (ValueType.INTEGER, str(2**53 + 1)),
        (ValueType.INTEGER, str(2**63 - 1)),
        (ValueType.INTEGER, "-1234567890123456"),
        (ValueType.INTEGER, "1000000000000000000"),
        (ValueType.DECIMAL, "12345678.12345678"),
        (ValueType.DECIMAL, "NaN"),
        (ValueType.FLOAT, "NaN"),
        (ValueType.FLOAT, "-Infinity"),
        (ValueType.INTEGER, "<no number & more>"),
        (ValueType.DATE, "1899-12-31"),
        (ValueType.DATE, "0044-03-15 BC"),
        (ValueType.INSTANT, "1900-02-28T23:59:59Z"),
        (ValueType.INSTANT, "infinity"),
    ],
)
def test_what_cannot_be_a_number_is_text_and_loses_nothing(kind: ValueType, cell: str) -> None:
    assert one(kind, cell) == cell


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        (ValueType.INTEGER, "-999999999999999", -999999999999999),
        (ValueType.DECIMAL, "0.000000000000000000012", 1.2e-20),
        (ValueType.DECIMAL, "1.50000000000000000000", 1.5),
        (ValueType.FLOAT, "0.30000000000000004", 0.30000000000000004),
        (ValueType.INSTANT, "45960.593750000000001", datetime(2025, 10, 30, 14, 15)),
    ],
)
def test_what_a_number_can_hold_stays_a_number(kind: ValueType, cell: str, expected: object) -> None:
    assert one(kind, cell) == expected


def test_numbers_as_text_stand_between_numbers_and_nulls() -> None:
    cells = ["1", str(2**60), None, None, str(2**61), str(2**62), "2", None]
    made = make(ExcelWriter, columns(ValueType.INTEGER, ValueType.TEXT), [(cell, " edge ") for cell in cells])
    expected = [1, str(2**60), None, None, str(2**61), str(2**62), 2, None]
    assert excel_rows(made.data) == [[value, " edge "] for value in expected]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x" * LONGEST, LONGEST),
        ("x" * (LONGEST + 1), LONGEST),
        ("é" * LONGEST, LONGEST),
        ("é" * (LONGEST + 1), LONGEST),
        ("🚀" * 16_383, 16_383),
        ("🚀" * 16_384, 16_383),
        ("x" + "🚀" * 16_383, 16_384),
        ("xx" + "🚀" * 16_383, 16_384),
        ("<&_x0041_" * 5000, LONGEST),
        ("\x00" * (LONGEST + 5), LONGEST),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 16_384, 40_000])
def test_long_cells_are_shortened_and_counted_wherever_they_stand(text: str, kept: int, before: int) -> None:
    neighbour = "n" * min(before, LONGEST)
    made = make(ExcelWriter, columns(ValueType.TEXT, ValueType.TEXT), [[neighbour, text], [text, None]])
    shortened = in_excel(text)
    assert len(shortened) == kept
    assert excel_rows(made.data) == [[neighbour, shortened], [shortened, None]]
    assert made.writer.adjustments["shortened_cells"] == (2 if kept < len(text) else 0)


def test_there_are_no_formulas() -> None:
    sheet = workbook(make(ExcelWriter, TEXT, [["=1+1"], ["+1"], ["@A1"], ["-1"]]).data).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr"}
