"""Contract 3.7: what may be exported, for the page and for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from jsonschema import Draft202012Validator

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.records.row_schema import TYPES
from tests.api.conftest import ApiClient, content, problem
from tests.factories.assets import AssetFactory, AssetStatusFactory
from tests.factories.tickets import TicketFactory


def test_a_resource_tells_its_columns_filters_and_formats(api: ApiClient) -> None:
    status = AssetStatusFactory(name="In repair")
    found = api.get("/resources/assets").json()
    columns = {one["name"]: one for one in found["columns"]}
    filters = {one["name"]: one for one in found["filters"]}
    formats = {one["name"]: one for one in found["formats"]}
    assert sum(one["default"] for one in found["columns"]) == 13
    assert columns["serial_number"]["type"] == "identifier"
    assert columns["status"] == {
        "name": "status",
        "label": "Status",
        "type": "text",
        "default": False,
        "sortable": True,
        "nest": "status",
        "treatment": "show",
    }
    assert {"value": status.pk, "label": "In repair"} in filters["status_id"]["choices"]
    assert filters["search"]["choices"] is None
    assert {"csv", "excel", "json"} <= formats.keys()
    assert formats["excel"]["max_rows"] == 1_048_576
    assert {one["name"]: one["type"] for one in formats["csv"]["options"]}.items() >= {
        ("delimiter", "text"),
        ("bom", "boolean"),
        ("formula_guard", "choice"),
    }
    assert found["export_url"] == "http://testserver/api/v1/assets/export"


def test_the_list_has_every_resource_that_one_may_export(api: ApiClient, owner: User) -> None:
    assert [one["name"] for one in api.get("/resources").json()["data"]] == ["assets", "tickets"]
    owner.user_permissions.filter(codename="export_ticket").delete()
    assert [one["name"] for one in api.get("/resources").json()["data"]] == ["assets"]


def test_another_resource_is_404(api: ApiClient) -> None:
    problem(api.get("/resources/unicorns"), 404)


def row_schema(api: ApiClient, name: str) -> dict[str, Any]:
    answer = api.get(f"/resources/{name}/schema.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/schema+json")
    schema: dict[str, Any] = answer.json()
    Draft202012Validator.check_schema(schema)
    return schema


@pytest.mark.parametrize("name, factory", [("assets", AssetFactory), ("tickets", TicketFactory)])
def test_rows_of_the_json_file_match_their_schema(api: ApiClient, name: str, factory: Any) -> None:
    factory.create_batch(3)
    schema = row_schema(api, name)
    columns = [one["name"] for one in api.get(f"/resources/{name}").json()["columns"]]
    assert list(schema["properties"]) == columns
    assert schema["$id"] == f"http://testserver/api/v1/resources/{name}/schema.json"
    rows = json.loads(content(api.create_export(name, format="json", columns=columns)))["data"]
    assert len(rows) == 3
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for row in rows:
        validator.validate(row)
    assert list(validator.iter_errors(rows[0] | {"another": 1})) != []


def test_schema_says_what_a_column_holds(api: ApiClient) -> None:
    properties = row_schema(api, "assets")["properties"]
    assert properties["id"] == {"title": "ID", "type": ["integer", "string", "null"]}
    assert properties["purchase_date"] == {"title": "Purchase date", "type": ["string", "null"], "format": "date"}


def test_schema_has_a_type_for_every_kind_of_value() -> None:
    assert set(TYPES) == set(ValueType)


def test_schema_of_another_resource_is_404(api: ApiClient) -> None:
    problem(api.get("/resources/unicorns/schema.json"), 404)
