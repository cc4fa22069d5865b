"""Each format through the API: type, name, options. What is inside is tested beside the formats themselves."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest

from rowferry.assets.models import Asset
from rowferry.exports import catalogue
from tests.api.conftest import ApiClient, content, problem
from tests.factories.assets import AssetFactory

TYPES = {
    "csv": ("text/csv; charset=utf-8", ".csv"),
    "excel": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "json": ("application/json", ".json"),
    "ndjson": ("application/x-ndjson", ".ndjson"),
    "parquet": ("application/vnd.apache.parquet", ".parquet"),
    "tsv": ("text/tab-separated-values; charset=utf-8", ".tsv"),
}


@pytest.mark.parametrize("name", TYPES)
def test_each_format_has_its_type_and_extension(api: ApiClient, assets: list[Asset], name: str) -> None:
    answer = api.create_export(format=name)
    content_type, extension = TYPES[name]
    assert answer.status_code == 200
    assert answer["Content-Type"] == content_type
    assert f'{extension}"' in answer["Content-Disposition"]
    assert int(answer["Content-Length"]) == len(content(answer))


@pytest.mark.parametrize("one", catalogue.formats(), ids=lambda one: one.name)
def test_every_format_of_the_catalogue_can_be_ordered(api: ApiClient, assets: list[Asset], one: Any) -> None:
    answer = api.create_export(format=one.name)
    assert answer.status_code == (422 if one.missing else 200)


def test_csv_begins_with_a_byte_order_mark_and_can_do_without(api: ApiClient, assets: list[Asset]) -> None:
    assert content(api.create_export(columns=["id"])).startswith(b"\xef\xbb\xbfid\r\n")
    assert content(api.create_export(columns=["id"], csv={"bom": False})).startswith(b"id\r\n")


def test_csv_takes_another_delimiter(api: ApiClient, assets: list[Asset]) -> None:
    assert b"id;name\r\n" in content(api.create_export(columns=["id", "name"], csv={"delimiter": ";"}))


def test_formulas_in_text_are_guarded_unless_told_otherwise(api: ApiClient) -> None:
    AssetFactory(name="=1;=1")
    for guard, line in {True: '"\'=1;=1"', "strict": "\"'=1;'=1\"", False: '"=1;=1"'}.items():
        data = content(api.create_export(columns=["name", "id"], csv={"formula_guard": guard})).decode()
        assert data.splitlines()[1].startswith(line)


def test_excel_opens_with_typed_cells_and_text_tags(api: ApiClient) -> None:
    asset = AssetFactory(serial_number="0012345678901234567890")
    book = openpyxl.load_workbook(
        io.BytesIO(content(api.create_export(format="excel", columns=["id", "serial_number"])))
    )
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows == [("id", "serial_number"), (asset.pk, "0012345678901234567890")]


@pytest.mark.django_db(transaction=True)  # on the engine's own snapshot, where the count is sure before the rows
def test_json_says_what_it_holds(api: ApiClient, assets: list[Asset]) -> None:
    answer = api.create_export(format="json", columns=["id"], filters={"status_id": assets[0].status_id})
    found = json.loads(content(answer))
    assert list(found) == [
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
    assert (found["export_id"], found["item_count"]) == (answer["X-Export-Id"], 3)
    assert found["data"] == [{"id": asset.pk} for asset in assets]


@pytest.mark.parametrize(
    "body, field",
    [
        ({"csv": {"colour": "red"}}, "csv.colour"),
        ({"csv": {"bom": "yes"}}, "csv.bom"),
        ({"csv": {"delimiter": "!!"}}, "csv.delimiter"),
        ({"csv": []}, "csv"),
        ({"excel": {}}, "excel"),
        ({"nested": True}, "nested"),
        ({"format": "pdf"}, "format"),
        ({"format": None}, "format"),
        ({"format": ["csv"]}, "format"),
        ({"format": "CSV"}, "format"),
    ],
)
def test_a_wrong_format_or_option_is_named(api: ApiClient, body: dict[str, Any], field: str) -> None:
    assert list(problem(api.create_export(**body), 422)["errors"]) == [field]
