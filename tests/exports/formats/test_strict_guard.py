"""The strict formula guard: no cell begins like a formula, at whatever separator a program splits the lines."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import FORMULA_STARTS, ValueType
from rowferry.exports.formats import FormatColumn, FormatWriter
from rowferry.exports.formats.csv import CsvWriter
from rowferry.exports.formats.tsv import TsvWriter
from tests.exports.formats.files import columns, make

SEPARATORS = (";", ",", "\t", "|")
STRICT = {"formula_guard": "strict"}
text = st.text(st.sampled_from('=+-@\t\r\n;,|"ab1 '), max_size=12).map(
    lambda value: "'" + value if value.startswith(FORMULA_STARTS) else value  # as the engine gives it
)
values = st.recursive(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text, st.lists, max_leaves=4)


def cells(data: str, separator: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(data, newline=""), delimiter=separator) for cell in row]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(text, st.none() | text, text), min_size=1, max_size=4), st.sampled_from(SEPARATORS))
def test_no_cell_begins_like_a_formula(rows: list[tuple[str, str | None, str]], separator: str) -> None:
    options = STRICT | {"bom": False, "delimiter": separator}
    made = make(CsvWriter, columns(ValueType.TEXT, ValueType.TEXT, ValueType.IDENTIFIER), rows, options=options)
    for other in SEPARATORS:
        # A cell may begin with what stands between two cells of the file; a formula must not follow.
        found = [cell.lstrip(f"\r\n\t{separator}") for cell in cells(made.text, other)]
        assert [cell for cell in found if cell.startswith(FORMULA_STARTS)] == []


@settings(deadline=None)
@given(values)
def test_json_stays_json_and_its_numbers_stay(value: object) -> None:
    kinds = columns(ValueType.TEXT, ValueType.JSON)
    made = make(CsvWriter, kinds, [("x", json.dumps(value))], options=STRICT | {"bom": False})
    cell = next(iter(csv.reader(io.StringIO(made.text, newline="").readlines()[1:])))[1]
    assert without_guards(json.loads(cell)) == without_guards(value)
    for separator in SEPARATORS:
        risky = [cell for cell in cells(made.text, separator) if cell.startswith(("=", "+", "@"))]
        assert risky == []


def without_guards(value: object) -> object:
    """The value without `'` in its texts, whoever wrote them."""
    if isinstance(value, list):
        return list(map(without_guards, value))
    return value.replace("'", "") if isinstance(value, str) else value


@pytest.mark.parametrize("writer", [CsvWriter, TsvWriter])
def test_what_the_default_leaves_is_guarded(writer: type[FormatWriter]) -> None:
    rows = [("1", "x;=1+1;y"), ("2", 'x\n"-1'), ("3", "a - b; c")]
    kinds = columns(ValueType.INTEGER, ValueType.TEXT)
    separator = "," if writer is CsvWriter else "\t"
    found = [cells(make(writer, kinds, rows, options=options).text, separator)[3::2] for options in (STRICT, {})]
    assert found == [["x;'=1+1;y", "x\n\"'-1", "a - b; c"], [value for _, value in rows]]


def test_titles_are_guarded_too() -> None:
    risky = (FormatColumn("a;=1", "x", ValueType.TEXT), FormatColumn("=1", "x", ValueType.TEXT))
    assert make(CsvWriter, risky, [], options=STRICT | {"bom": False}).text == "a;'=1,'=1\r\n"


@pytest.mark.parametrize("options", [{}, {"formula_guard": False}])
@pytest.mark.parametrize("writer", [CsvWriter, TsvWriter])
@pytest.mark.parametrize("title", ["ID", "IDENTIFIER", "ID, short"])
def test_no_file_begins_like_a_file_of_sylk(writer: type[FormatWriter], options: dict[str, object], title: str) -> None:
    kinds = (FormatColumn(title, "x", ValueType.TEXT), FormatColumn("ID", "x", ValueType.TEXT))
    made = make(writer, kinds, [], options=options | {"bom": False})
    assert not made.data.startswith(b"ID")
    assert cells(made.text, "," if writer is CsvWriter else "\t") == [title, "ID"]
