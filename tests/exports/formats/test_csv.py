"""CSV, read back by Python's csv module."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.csv import CsvWriter
from tests.exports.formats.files import columns, csv_rows, hostile_text, make

TWO = columns(ValueType.INTEGER, ValueType.TEXT)
FIELD_LIMIT = 131_072
"""Characters that Python's csv module reads in one field, unless it is told otherwise."""


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), hostile_text, hostile_text), max_size=30), st.integers(1, 7))
def test_any_text_comes_back_as_it_was(rows: list[tuple[int, str, str]], size: int) -> None:
    cells = [(str(number), text, code) for number, text, code in rows]
    made = make(CsvWriter, columns(ValueType.INTEGER, ValueType.TEXT, ValueType.IDENTIFIER), cells, size)
    assert csv_rows(made.data) == [list(row) for row in cells]
    assert made.writer.rows == len(rows)


@pytest.mark.parametrize(("chosen", "used"), [(",", ","), (";", ";"), ("tab", "\t"), ("\t", "\t"), ("|", "|")])
def test_every_delimiter_can_stand_in_text(chosen: str, used: str) -> None:
    made = make(CsvWriter, TWO, [("1", 'a,b;c\td|e"f')], options={"delimiter": chosen})
    assert csv_rows(made.data, used) == [["1", 'a,b;c\td|e"f']]


def test_the_bytes_are_rfc_4180_with_a_byte_order_mark() -> None:
    made = make(
        CsvWriter, columns(ValueType.INTEGER, ValueType.IDENTIFIER, ValueType.DATE), [("1", "007", "2025-10-30")], 1
    )
    assert made.data == b'\xef\xbb\xbfc0,c1,c2\r\n1,"007",2025-10-30\r\n'


def test_the_byte_order_mark_can_be_left_out() -> None:
    assert make(CsvWriter, TWO, [], options={"bom": False}).data == b"c0,c1\r\n"


def test_null_is_an_empty_cell_and_empty_text_is_quoted() -> None:
    made = make(
        CsvWriter,
        columns(ValueType.TEXT, ValueType.INTEGER, ValueType.TEXT),
        [(None, None, ""), ("", "1", None), (None,) * 3],
    )
    assert made.text.splitlines()[1:] == [',,""', '"",1,', ",,"]


@pytest.mark.parametrize("kind", [ValueType.TEXT, ValueType.INTEGER])
def test_a_row_of_one_null_is_still_a_row(kind: ValueType) -> None:
    made = make(CsvWriter, columns(kind), [("1",), (None,), ("2",), (None,)])
    assert csv_rows(made.data) == [["1"], [""], ["2"], [""]]


def test_only_text_is_quoted() -> None:
    bare = (ValueType.INTEGER, ValueType.DECIMAL, ValueType.FLOAT, ValueType.BOOLEAN, ValueType.DATE, ValueType.INSTANT)
    made = make(CsvWriter, columns(*ValueType), [["x"] * len(ValueType)])
    expected = ["x" if kind in bare else '"x"' for kind in ValueType]
    assert made.text.splitlines()[1].split(",") == expected


def test_the_header_is_guarded_against_formulas_and_quoted_where_it_must() -> None:
    risky = (
        FormatColumn("=1+1", "x", ValueType.TEXT),
        FormatColumn("a,b", "x", ValueType.TEXT),
        FormatColumn("plain", "x", ValueType.TEXT),
    )
    assert make(CsvWriter, risky, [], options={"bom": False}).text == '\'=1+1,"a,b",plain\r\n'
    assert make(CsvWriter, risky, [], options={"bom": False, "formula_guard": False}).text == '=1+1,"a,b",plain\r\n'


def test_labels_can_be_the_header() -> None:
    assert make(CsvWriter, TWO, [], options={"bom": False}, headers="labels").text == "Column 0,Column 1\r\n"


def test_a_cell_as_long_as_the_field_limit_of_readers_comes_back() -> None:
    text = '"' * (FIELD_LIMIT // 2)
    assert csv_rows(make(CsvWriter, TWO, [("1", text)]).data) == [["1", text]]
