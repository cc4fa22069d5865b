"""The API's description of itself."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from rowferry.exports import catalogue
from rowferry.exports.models import Event, Mode, Status
from rowferry.exports.planning.spec import READERS
from tests.api.conftest import ApiClient

OPERATIONS = {
    "/api/v1/{resource}/export": {"post"},
    "/api/v1/exports": {"get"},
    "/api/v1/exports/{export_id}": {"get", "delete"},
    "/api/v1/exports/{export_id}/download": {"get"},
    "/api/v1/exports/{export_id}/logs": {"get"},
    "/api/v1/exports/{export_id}/manifest": {"get"},
    "/api/v1/exports/{export_id}/retry": {"post"},
    "/api/v1/exports/{export_id}/cancel": {"post"},
    "/api/v1/resources": {"get"},
    "/api/v1/resources/{name}": {"get"},
    "/api/v1/resources/{name}/schema.json": {"get"},
}


@pytest.fixture
def schema(nobody: ApiClient) -> Any:
    answer = nobody.get("/openapi.json")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def test_it_is_openapi_3_1_and_names_every_endpoint(schema: Any) -> None:
    assert schema["openapi"].startswith("3.1")
    assert {path: set(operations) for path, operations in schema["paths"].items()} == OPERATIONS


def test_it_is_made_without_a_warning_and_is_valid(db: None) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_the_body_of_an_order_names_what_there_is(schema: Any) -> None:
    order = schema["paths"]["/api/v1/{resource}/export"]["post"]
    body = order["requestBody"]["content"]["application/json"]["schema"]
    formats = [one.name for one in catalogue.formats()]
    delivery = {"async", "email_notification", "dry_run", "keep"}
    assert body["properties"]["format"]["enum"] == formats
    assert body["properties"].keys() == {*READERS, *delivery, *formats}
    assert body["required"] == ["format"]
    resource = next(one for one in order["parameters"] if one["name"] == "resource")
    assert resource["schema"]["enum"] == catalogue.names(None)


def test_the_answers_to_an_order_are_all_there(schema: Any) -> None:
    answers = schema["paths"]["/api/v1/{resource}/export"]["post"]["responses"]
    assert {"200", "202", "400", "401", "403", "404", "409", "413", "415", "422", "429"} <= answers.keys()
    assert "text/csv" in answers["200"]["content"]
    assert list(answers["422"]["content"]) == ["application/problem+json"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= answers["429"]["headers"].keys()
    assert {"Location", "X-Export-Id", "ETag"} <= answers["200"]["headers"].keys()


def test_links_lead_from_an_order_to_all_that_can_be_done_with_its_export(schema: Any) -> None:
    operations = [one for operations in schema["paths"].values() for one in operations.values()]
    of_an_export = {one["operationId"] for one in operations if "export_id" in str(one.get("parameters"))}
    answers = schema["paths"]["/api/v1/{resource}/export"]["post"]["responses"]
    for status in ("200", "202"):
        assert {link["operationId"] for link in answers[status]["links"].values()} == of_an_export


def test_it_says_how_to_say_who_one_is(schema: Any) -> None:
    assert schema["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    assert {"bearer": []} in schema["paths"]["/api/v1/exports"]["get"]["security"]


def test_states_modes_and_events_are_those_of_the_engine(schema: Any) -> None:
    found = str(schema)
    logs = schema["paths"]["/api/v1/exports/{export_id}/logs"]["get"]["parameters"]
    event = next(one for one in logs if one["name"] == "event")
    assert set(event["schema"]["enum"]) == set(Event.values)
    enums = [set(one["enum"]) for one in schema["components"]["schemas"].values() if "enum" in one]
    assert set(Status.values) in enums, found
    assert set(Mode.values) in enums, found


def test_the_docs_are_a_page_that_loads_nothing_from_elsewhere(db: None) -> None:
    answer = Client().get("/api/v1/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/html")
    assert "/api/v1/openapi.json" in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/openapi.json"])
def test_they_are_there_to_be_read_only(db: None, path: str) -> None:
    answer = Client().post(path)
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
