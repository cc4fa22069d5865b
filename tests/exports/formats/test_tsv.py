"""TSV, read back by Python's csv module."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.tsv import TsvWriter
from tests.exports.formats.files import columns, csv_rows, hostile_text, make

TWO = columns(ValueType.INTEGER, ValueType.TEXT)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), hostile_text), max_size=30), st.integers(1, 7))
def test_any_text_comes_back_as_it_was(rows: list[tuple[int, str]], size: int) -> None:
    cells = [(str(number), text) for number, text in rows]
    assert csv_rows(make(TsvWriter, TWO, cells, size).data, "\t") == [list(row) for row in cells]


def test_the_bytes_are_those_of_csv_with_tabs_and_no_byte_order_mark() -> None:
    made = make(TsvWriter, TWO, [("1", 'a\t"b"'), (None, None), ("2", "")])
    assert made.data == b'c0\tc1\r\n1\t"a\t""b"""\r\n\t\r\n2\t""\r\n'


def test_a_byte_order_mark_can_be_asked_for() -> None:
    assert make(TsvWriter, TWO, [], options={"bom": True}).data == b"\xef\xbb\xbfc0\tc1\r\n"


def test_a_title_that_looks_like_a_formula_is_guarded_unless_told_otherwise() -> None:
    titled = (FormatColumn("c0", "=1+1", ValueType.TEXT),)
    assert make(TsvWriter, titled, [], headers="labels").data == b"'=1+1\r\n"
    assert make(TsvWriter, titled, [], headers="labels", options={"formula_guard": False}).data == b"=1+1\r\n"
