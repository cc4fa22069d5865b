"""The request for a file: every refusal names its field and what would be right, and plain JSON goes both ways."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.errors import InvalidRequest, NotFound
from rowferry.exports.formats import format_writers
from rowferry.exports.planning.spec import ExportSpec, to_plain_json, zones
from rowferry.exports.resources import registry

THIRTEEN = (
    *("id", "name", "asset_tag", "serial_number", "status_id", "location_id", "assigned_to", "manufacturer_id"),
    *("asset_type_id", "purchase_date", "warranty_expiry_date", "created_at", "updated_at"),
)
FILTER = "filters.status_id"
REFUSED = [
    ({}, "format", "csv, excel, json"),
    ({"format": None}, "format", "csv, excel, json"),
    ({"format": "pdf"}, "format", "csv, excel, json"),
    ({"format": ["csv"]}, "format", "csv, excel, json"),
    ({"format": {}}, "format", "csv, excel, json"),
    ({"columns": []}, "columns", "asset_tag"),
    ({"columns": "id"}, "columns", "asset_tag"),
    ({"columns": {"id": 1}}, "columns", "asset_tag"),
    ({"columns": [1]}, "columns", "asset_tag"),
    ({"columns": ["id", None]}, "columns", "asset_tag"),
    ({"columns": ["id", "password"]}, "columns", "Unknown: password"),
    ({"columns": ["id", "name", "id"]}, "columns", "more than once: id"),
    ({"columns": ["status__name"]}, "columns", "asset_tag"),
    ({"filters": []}, "filters", "object"),
    ({"filters": "status_id=1"}, "filters", "object"),
    ({"filters": {"colour": 1}}, "filters.colour", "status_id"),
    ({"filters": {"status_id__gt": 1}}, "filters.status_id__gt", "status_id"),
    ({"filters": {"status_id": True}}, FILTER, "whole number"),
    ({"filters": {"status_id": 2.0}}, FILTER, "whole number"),
    ({"filters": {"status_id": "2.0"}}, FILTER, "whole number"),
    ({"filters": {"status_id": " 2"}}, FILTER, "whole number"),
    ({"filters": {"status_id": "٣"}}, FILTER, "whole number"),
    ({"filters": {"status_id": "--2"}}, FILTER, "whole number"),
    ({"filters": {"status_id": ""}}, FILTER, "whole number"),
    ({"filters": {"status_id": "In use"}}, FILTER, "whole number"),
    ({"filters": {"status_id": {"id": 1}}}, FILTER, "whole number"),
    ({"filters": {"status_id": [[1]]}}, FILTER, "whole number"),
    ({"filters": {"status_id": [1, False]}}, FILTER, "whole number"),
    ({"filters": {"status_id": []}}, FILTER, "empty"),
    ({"filters": {"status_id": list(range(5_001))}}, FILTER, "5,000"),
    ({"filters": {"include_sublocations": True}}, "filters.include_sublocations", "location_id"),
    ({"filters": {"location_id": 1, "include_sublocations": 1}}, "filters.include_sublocations", "true or false"),
    ({"filters": {"location_id": 1, "include_sublocations": None}}, "filters.include_sublocations", "true or false"),
    ({"filters": {"search": 5}}, "filters.search", "text"),
    ({"filters": {"search": None}}, "filters.search", "text"),
    ({"filters": {"search": ["a"]}}, "filters.search", "text"),
    ({"filters": {"search": "a\0b"}}, "filters.search", "NUL"),
    ({"filters": {"search": "x" * 201}}, "filters.search", "200"),
    ({"filters": {"date_from": "2025-02-29"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_from": "30.10.2025"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_from": "2025-10-30T00:00:00Z"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_from": "2025-W44-4"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_from": "20251030"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_from": "0000-01-01"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_from": "2025-10-3٠"}}, "filters.date_from", "2025-10-30"),
    ({"filters": {"date_to": None}}, "filters.date_to", "2025-10-30"),
    ({"filters": {"date_to": 20251030}}, "filters.date_to", "2025-10-30"),
    ({"filters": {"date_from": "2025-10-31", "date_to": "2025-10-30"}}, "filters.date_to", "before date_from"),
    ({"filters": {"date_column": "due_date"}}, "filters.date_column", "created_at, updated_at"),
    ({"filters": {"date_column": None}}, "filters.date_column", "created_at, updated_at"),
    ({"filters": {"date_column": ["created_at"]}}, "filters.date_column", "created_at, updated_at"),
    ({"filters": {"date_column": {}}}, "filters.date_column", "created_at, updated_at"),
    ({"sort_by": "password"}, "sort_by", "asset_tag"),
    ({"sort_by": "-name"}, "sort_by", "asset_tag"),
    ({"sort_by": ["name"]}, "sort_by", "asset_tag"),
    ({"sort_by": {}}, "sort_by", "asset_tag"),
    ({"sort_order": "ASC"}, "sort_order", "asc, desc"),
    ({"sort_order": 1}, "sort_order", "asc, desc"),
    ({"sort_order": []}, "sort_order", "asc, desc"),
    ({"nested": True}, "nested", "JSON"),
    ({"nested": "true", "format": "json"}, "nested", "true or false"),
    ({"headers": "none"}, "headers", "names, labels"),
    ({"time_zone": "Mars/Olympus"}, "time_zone", "Europe/Berlin"),
    ({"time_zone": "europe/berlin"}, "time_zone", "Europe/Berlin"),
    ({"time_zone": "../../etc/passwd"}, "time_zone", "Europe/Berlin"),
    ({"time_zone": ""}, "time_zone", "Europe/Berlin"),
    ({"time_zone": 2}, "time_zone", "Europe/Berlin"),
    ({"time_zone": ["UTC"]}, "time_zone", "Europe/Berlin"),
    ({"time_zone": "localtime"}, "time_zone", "Europe/Berlin"),
    ({"colums": ["id"]}, "colums", "columns"),
    ({"limit": 5}, "limit", "columns"),
    ({"excel": {}}, "excel", "the format is csv"),
    ({"csv": []}, "csv", "object"),
    ({"csv": {"quote": "'"}}, "csv.quote", "delimiter, bom, formula_guard"),
    ({"csv": {"delimiter": "x"}}, "csv.delimiter", '";"'),
    ({"csv": {"delimiter": 1}}, "csv.delimiter", '";"'),
    ({"csv": {"bom": "yes"}}, "csv.bom", "true or false"),
    ({"csv": {"formula_guard": 0}}, "csv.formula_guard", 'true, "strict", false'),
    ({"csv": {"formula_guard": "Strict"}}, "csv.formula_guard", 'true, "strict", false'),
]


@pytest.mark.parametrize("body, field, says", REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_named_with_what_would_be_right(body, field, says):
    with pytest.raises(InvalidRequest) as raised:
        ExportSpec.parse("assets", {} if body == {} else {"format": "csv", **body})
    assert list(raised.value.errors) == [field]
    assert says in raised.value.errors[field][0]


def test_all_wrong_fields_are_named_at_once():
    body = {"format": "pdf", "columns": [], "filters": {"status_id": "x", "search": 1}, "sort_order": "up", "x": 1}
    with pytest.raises(InvalidRequest) as raised:
        ExportSpec.parse("assets", body)
    wrong = {"format", "columns", "filters.status_id", "filters.search", "sort_order", "x"}
    assert set(raised.value.errors) == wrong


def test_a_resource_that_is_not_there_is_not_found():
    with pytest.raises(NotFound, match="assets, tickets"):
        ExportSpec.parse("users; drop table", {"format": "csv"})


def test_long_names_are_not_repeated_in_full():
    with pytest.raises(InvalidRequest) as raised:
        ExportSpec.parse("assets", {"format": "csv", "x" * 5_000: 1, "columns": ["y" * 5_000]})
    assert all(len(name) <= 60 for name in raised.value.errors)
    assert len(raised.value.errors["columns"][0]) < 1_000


def test_what_is_left_out_has_its_default():
    spec = ExportSpec.parse("assets", {"format": "csv"})
    assert spec.columns == THIRTEEN
    assert (spec.filters, spec.sort_by, spec.sort_order, spec.nested) == ({}, "", "asc", False)
    assert (spec.headers, spec.time_zone) == ("names", "UTC")
    assert spec.options == {"delimiter": ",", "bom": True, "formula_guard": True, "compress": "none"}


def test_null_counts_as_left_out():
    names = ("columns", "filters", "sort_by", "sort_order", "nested", "headers", "time_zone", "csv")
    assert ExportSpec.parse("assets", {"format": "csv"} | dict.fromkeys(names)) == ExportSpec.parse(
        "assets", {"format": "csv"}
    )


def test_columns_keep_the_order_of_the_request():
    assert ExportSpec.parse("assets", {"format": "csv", "columns": ["status", "name", "id"]}).columns == (
        *("status", "name", "id"),
    )


@pytest.mark.parametrize("payload", [None, [], "csv", 1, True])
def test_a_body_is_an_object(payload):
    with pytest.raises(InvalidRequest, match="JSON object"):
        to_plain_json(payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"filters": {"search": "\ud800"}},
        {"\udfff": 1},
        {"filters": {"status_id": float("nan")}},
        {"filters": {"status_id": float("inf")}},
        {"filters": {"status_id": 10**5000}},
        {"filters": {"date_from": object()}},
        {"columns": {"id"}},
    ],
    ids=["lone surrogate", "in a key", "NaN", "infinity", "5,000 digits", "object", "set"],
)
def test_a_body_is_sound_json(payload):
    with pytest.raises(InvalidRequest, match="Unicode"):
        to_plain_json(payload)


def test_a_body_nested_too_deep_is_refused():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidRequest, match="deep"):
        to_plain_json({"filters": deep})


def test_a_day_that_a_script_gives_as_a_date_is_refused_in_words():
    with pytest.raises(InvalidRequest):
        to_plain_json({"filters": {"date_from": date(2025, 10, 30)}})


def bodies() -> st.SearchStrategy[dict[str, object]]:
    resource = registry.resource("assets")
    names = st.lists(st.sampled_from(list(resource.by_name)), min_size=1, unique=True)
    ids = st.one_of(st.none(), st.integers(), st.lists(st.none() | st.integers(), min_size=1, max_size=5))
    days = st.dates().map(str)
    filters = st.fixed_dictionaries(
        {},
        optional={
            "status_id": ids,
            "assigned_to": ids,
            "date_from": days,
            "search": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200),
        },
    )
    fields = {
        "columns": names,
        "filters": filters,
        "sort_by": st.sampled_from(list(resource.by_name)),
        "sort_order": st.sampled_from(["asc", "desc"]),
        "headers": st.sampled_from(["names", "labels"]),
        "time_zone": st.sampled_from(sorted(zones())),
    }
    return st.fixed_dictionaries({"format": st.sampled_from(sorted(format_writers()))}, optional=fields)


@settings(max_examples=200, deadline=None)
@given(st.deferred(bodies))
def test_a_spec_is_the_same_after_it_was_stored(body):
    spec = ExportSpec.parse("assets", body)
    assert ExportSpec.from_stored(json.loads(json.dumps(spec.as_json()))) == spec


def test_options_are_the_same_after_they_were_stored():
    spec = ExportSpec.parse("assets", {"format": "csv", "csv": {"delimiter": "tab", "bom": False}})
    assert ExportSpec.from_stored(spec.as_json()) == spec


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "format",
    "columns",
    "filters",
    "sort_by",
    "sort_order",
    "nested",
    "headers",
    "time_zone",
    "csv",
    "excel",
    "?",
)
FILTERS = ("status_id", "location_id", "include_sublocations", "date_from", "date_to", "date_column", "search")


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=4)
    | st.fixed_dictionaries(
        {"format": st.just("csv"), "filters": st.dictionaries(st.sampled_from(FILTERS), JUNK, max_size=3)}
    )
)
def test_whatever_comes_is_a_spec_or_a_refusal_by_field(body):
    refused = outcome(body)
    assert refused is None or refused.errors


def outcome(body: dict[str, object]) -> InvalidRequest | None:
    try:
        ExportSpec.parse("assets", body)
    except InvalidRequest as error:
        return error
    return None
