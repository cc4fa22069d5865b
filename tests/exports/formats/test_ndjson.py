"""NDJSON, read back line by line by Python's json module."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.json import JsonWriter
from rowferry.exports.formats.ndjson import NdjsonWriter
from tests.exports.formats.files import columns, hostile_text, json_rows, make, ndjson_rows

NESTING = (
    FormatColumn("id", "ID", ValueType.INTEGER),
    FormatColumn("status", "Status", ValueType.TEXT, ("status", "name")),
    FormatColumn("status_id", "Status ID", ValueType.INTEGER, ("status", "id")),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), hostile_text), max_size=30), st.integers(1, 7))
def test_any_text_comes_back_as_it_was(rows: list[tuple[int, str]], size: int) -> None:
    cells = [(str(number), text) for number, text in rows]
    made = make(NdjsonWriter, columns(ValueType.INTEGER, ValueType.TEXT), cells, size)
    assert ndjson_rows(made.data) == [{"c0": number, "c1": text} for number, text in rows]


@pytest.mark.parametrize("nested", [False, True])
def test_its_objects_are_those_of_json(nested: bool) -> None:
    rows: list[Any] = [("1", "New", "3"), ("2", None, None), ("3", 'a "b"\n', "4")]
    made = make(NdjsonWriter, NESTING, rows, 2, nested=nested)
    assert ndjson_rows(made.data) == json_rows(make(JsonWriter, NESTING, rows, 2, nested=nested).data)


def test_there_is_one_object_a_line_and_nothing_around_them() -> None:
    made = make(NdjsonWriter, NESTING, [("1", "New", "3"), ("2", None, None)], 1, nested=True)
    assert made.text == '{"id":1,"status":{"name":"New","id":3}}\n{"id":2,"status":null}\n'
    assert make(NdjsonWriter, NESTING, []).data == b""


def test_json_that_was_stored_on_several_lines_stands_on_one() -> None:
    made = make(NdjsonWriter, columns(ValueType.JSON, ValueType.TEXT), [('{\n  "a": "b\\n"\r\n}', "x\ny")])
    assert ndjson_rows(made.data) == [{"c0": {"a": "b\n"}, "c1": "x\ny"}]
