"""JSON, read back by Python's json module, which is told to refuse NaN."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.json import JsonWriter
from tests.exports.formats.files import columns, hostile_text, json_rows, make

NESTED = (
    FormatColumn("id", "Id", ValueType.INTEGER),
    FormatColumn("status_id", "Status", ValueType.INTEGER, nest=("status", "id")),
    FormatColumn("name", "Name", ValueType.TEXT),
    FormatColumn("status", "Status", ValueType.TEXT, nest=("status", "name")),
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.integers(), st.none() | hostile_text, hostile_text), max_size=30),
    st.integers(1, 7),
)
def test_any_value_comes_back_as_it_was(rows: list[tuple[int | None, str | None, str]], size: int) -> None:
    cells = [(None if number is None else str(number), text, code) for number, text, code in rows]
    made = make(JsonWriter, columns(ValueType.INTEGER, ValueType.TEXT, ValueType.IDENTIFIER), cells, size)
    assert json_rows(made.data) == [dict(zip(("c0", "c1", "c2"), row, strict=True)) for row in rows]
    assert made.writer.rows == len(rows)


def test_the_facts_come_first_and_in_order() -> None:
    about = {"filters": {"search": "é<", "status_id": [1, None]}, "actor": "operator", "on_behalf_of": "Zoë"}
    made = make(JsonWriter, columns(ValueType.INTEGER), [("1",)], item_count=1, **about)
    document = json.loads(made.data)
    assert list(document) == [
        "export_id",
        "resource_type",
        "format",
        "exported_at",
        "item_count",
        "columns",
        "filters",
        "actor",
        "on_behalf_of",
        "data",
    ]
    assert document | {"data": []} == {
        "export_id": "5f0c",
        "resource_type": "assets",
        "format": "json",
        "exported_at": "2025-10-30T14:15:07Z",
        "item_count": 1,
        "columns": ["c0"],
        **about,
        "data": [],
    }


def test_a_count_that_only_the_end_knows_stands_at_the_end() -> None:
    document = json.loads(make(JsonWriter, columns(ValueType.INTEGER), [("1",), ("2",)], 1).data)
    assert list(document)[-2:] == ["data", "item_count"]
    assert document["item_count"] == 2


def test_each_row_has_a_line() -> None:
    made = make(JsonWriter, columns(ValueType.INTEGER, ValueType.TEXT), [("1", "a\nb"), ("2", None)], 1, item_count=2)
    assert made.text.splitlines()[1:] == ['{"c0":1,"c1":"a\\nb"},', '{"c0":2,"c1":null}', "]}"]


def test_no_rows_are_an_empty_list() -> None:
    assert '"data":[]' in make(JsonWriter, columns(ValueType.INTEGER), []).text


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (ValueType.INTEGER, str(2**63 - 1), 2**63 - 1),
        (ValueType.INTEGER, str(-(2**53) - 1), -(2**53) - 1),
        (ValueType.DECIMAL, "-0.50", -0.5),
        (ValueType.FLOAT, "1e+20", 1e20),
        (ValueType.BOOLEAN, "true", True),
        (ValueType.DATE, "2025-10-30", "2025-10-30"),
        (ValueType.INSTANT, "2025-10-30T14:15:00Z", "2025-10-30T14:15:00Z"),
        (ValueType.UUID, "0f0c", "0f0c"),
        (ValueType.JSON, '{"a": ["\\u0041\\"", null]}', {"a": ['A"', None]}),
        (ValueType.JSON, '"null"', "null"),
    ],
)
def test_each_kind_has_its_json_type(kind: ValueType, cell: str, value: Any) -> None:
    made = make(JsonWriter, columns(kind, ValueType.TEXT), [(cell, '"'), (None, "")])
    assert json_rows(made.data) == [{"c0": value, "c1": '"'}, {"c0": None, "c1": ""}]


def test_columns_that_share_an_object_stand_in_it_where_the_first_of_them_was() -> None:
    made = make(JsonWriter, NESTED, [("1", "2", "Laptop", "In use"), ("2", "3", None, None)], nested=True)
    first, second = json_rows(made.data)
    assert first == {"id": 1, "status": {"id": 2, "name": "In use"}, "name": "Laptop"}
    assert list(first) == ["id", "status", "name"]
    assert second == {"id": 2, "status": {"id": 3, "name": None}, "name": None}


def test_an_object_without_any_value_is_null() -> None:
    made = make(JsonWriter, NESTED, [("1", None, "Laptop", None)], nested=True)
    assert json_rows(made.data) == [{"id": 1, "status": None, "name": "Laptop"}]


def test_rows_are_flat_unless_asked_otherwise() -> None:
    made = make(JsonWriter, NESTED, [("1", "2", "Laptop", "In use")])
    assert json_rows(made.data) == [{"id": 1, "status_id": 2, "name": "Laptop", "status": "In use"}]


def test_a_filter_that_no_encoding_holds_does_not_break_the_file() -> None:
    assert json.loads(make(JsonWriter, columns(ValueType.INTEGER), [], filters={"search": "\ud800"}).data)
