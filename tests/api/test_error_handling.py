"""Wrong, broken and hostile requests: each gets a problem that says what is wrong, and none gets a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import OperationalError
from django.test import Client

from rowferry.api.problems import to_problem
from rowferry.assets.models import Asset
from rowferry.exports import errors
from rowferry.exports.errors import SourceFault
from rowferry.exports.models import Export, ExportLog
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.registry import unregister
from rowferry.exports.resources.resource import Resource, register
from tests.api.conftest import ApiClient, create_assets, problem
from tests.support.unreadable import Unreadable, break_row


def test_a_problem_has_everything_that_rfc_9457_names(api: ApiClient) -> None:
    found = problem(api.post("/assets/export", {}), 422)
    assert found["type"] == "urn:rowferry:problem:invalid_request"
    assert (found["title"], found["code"]) == ("The request is not valid", "invalid_request")
    assert "format" in found["detail"]
    assert "csv" in found["errors"]["format"][0]


def test_no_body_is_an_empty_one(api: ApiClient) -> None:
    assert list(problem(api.post("/assets/export", b""), 422)["errors"]) == ["format"]


def test_every_wrong_field_is_named_at_once(api: ApiClient) -> None:
    wrong = {"format": "pdf", "columns": [], "colour": 1, "sort_order": "up", "filters": {"status_id": "x"}}
    found = problem(api.post("/assets/export", wrong), 422)["errors"]
    assert found.keys() == {"format", "columns", "colour", "sort_order", "filters.status_id"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"format=csv",
        b"\xff\xfe{}",
        b'{"format": "csv", "filters": {"status_id": NaN}}',
        b'{"format": "csv", "filters": {"status_id": -Infinity}}',
        b'{"format": "csv", "filters": {"status_id": 1' + b"0" * 5_000 + b"}}",
        b'{"format": "csv", "format": "json"}',
        b'{"format": "c\x00sv"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"'csv'",
        b'"\xed\xa0\x80"',
    ],
    ids=range(12),
)
def test_what_is_no_json_is_400(api: ApiClient, body: bytes) -> None:
    problem(api.post("/assets/export", body), 400)


@pytest.mark.parametrize(
    "body",
    [
        [],
        b'"csv"',
        None,
        1,
        {"format": "csv", "columns": ["\x00"]},
        {"format": "csv", "filters": {"search": "\x00"}},
        {"format": "csv", "filters": {"search": "\ud800"}},
        {"format": "csv", "filters": {"status_id": 1.5}},
        {"format": "csv", "filters": {"status_id": True}},
        {"format": "csv", "filters": {"status_id": [[1]]}},
        {"format": "csv", "filters": {"status_id": "١"}},
        {"format": "csv", "filters": {"date_from": "2025-02-30"}},
        {"format": "csv", "filters": {"date_from": "2025-10-31", "date_to": "2025-10-30"}},
        {"format": "csv", "filters": []},
        {"format": "csv", "time_zone": "../../etc/passwd"},
        {"format": "csv", "time_zone": "Mars/Olympus"},
        {"format": "csv", "sort_by": {"x": 1}},
        {"format": "csv", "sort_by": "pk; drop table"},
        {"format": "csv", "async": "yes"},
        {"format": "csv", "dry_run": 1},
        {"format": "csv", "\ud800": 1},
        {"format": "csv", "x" * 900_000: 1},
        {"format": "y" * 900_000},
        {"format": "csv", "columns": ["z" * 900_000]},
        {"format": "csv", "filters": {"search": "s" * 900_000}},
        {"format": "csv", "columns": ["id"] * 100_000},
        {"format": "csv", "filters": {"status_id": list(range(100_000))}},
        b'{"format": "csv", "filters": {"status_id": 1e999}}',
    ],
    ids=range(28),
)
def test_wrong_values_are_422(api: ApiClient, body: object) -> None:
    found = problem(api.post("/assets/export", body), 422)
    assert len(json.dumps(found)) < 5_000


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**4_000])
def test_an_id_beyond_all_ids_matches_nothing(api: ApiClient, assets: list[Asset], value: int) -> None:
    assert api.create_export(filters={"status_id": value}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", "%%%"]
)
def test_another_type_of_body_is_415(api: ApiClient, kind: str) -> None:
    problem(api.post("/assets/export", b'{"format": "csv"}', content_type=kind), 415)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=latin-1"]
)
def test_json_is_known_by_its_type_and_always_utf_8(api: ApiClient, assets: list[Asset], kind: str) -> None:
    assert api.post("/assets/export", b'{"format": "csv"}', content_type=kind).status_code == 200


def test_a_body_beyond_the_limit_is_413(api: ApiClient) -> None:
    problem(api.post("/assets/export", b" " * (1024 * 1024 + 1)), 413)


def test_a_body_of_unsaid_length_is_411(api: ApiClient) -> None:
    problem(api.http.generic("POST", "/api/v1/assets/export", "", HTTP_TRANSFER_ENCODING="chunked"), 411)


@pytest.mark.parametrize("method, path", [("delete", "/exports"), ("post", "/resources"), ("get", "/assets/export")])
def test_another_method_is_405_and_names_the_right_ones(api: ApiClient, method: str, path: str) -> None:
    answer = getattr(api, method)(path)
    problem(answer, 405)
    assert answer["Allow"]


@pytest.mark.parametrize("path", ["/", "/nothing", "/exports/", "/exports/x/y/z", "/assets/export/", "/%00", "/%ff%fe"])
def test_an_address_that_is_none_is_404(api: ApiClient, nobody: ApiClient, path: str) -> None:
    problem(api.get(path), 404)
    problem(nobody.post(path, {}), 404)


@pytest.mark.parametrize("name", ["x", "2b1a3a0e", "%00", "%ff", "2b1a3a0e-0000-4000-8000-00000000000g", "1" * 5_000])
def test_an_id_that_is_none_is_404(api: ApiClient, name: str) -> None:
    problem(api.get(f"/exports/{name}"), 404)


@pytest.mark.parametrize("accept", ["text/html", "text/csv", "application/xml", "\xff", "q=;;;,", ""])
def test_errors_are_problems_whatever_is_accepted(api: ApiClient, accept: str) -> None:
    problem(api.post("/assets/export", {}, accept=accept), 422)


HOSTILE = ["\x80\xff", "\x00", "a" * 100_000, "\xe2\x80\xa8", ",,,;;;==", '"', "bytes=" + "9" * 5_000 + "-"]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "name",
    [
        "Idempotency-Key",
        "Prefer",
        "Range",
        "If-Range",
        "If-None-Match",
        "If-Modified-Since",
        "Cookie",
        "X-CSRFToken",
        "Accept-Language",
    ],
)
def test_hostile_bytes_in_a_header_do_no_harm(api: ApiClient, assets: list[Asset], name: str, value: str) -> None:
    key = f"HTTP_{name.upper().replace('-', '_')}"
    export = api.run_export()
    for method, path in (("post", "/assets/export"), ("get", f"/exports/{export.pk}/download")):
        call = getattr(api.http, method)
        body = {"data": '{"format": "csv"}', "content_type": "application/json"} if method == "post" else {}
        assert call(f"/api/v1{path}", **body, **{key: value}).status_code < 500


def test_a_database_that_does_not_answer_is_503_and_says_when_to_come_back(api: ApiClient) -> None:
    found = to_problem(OperationalError("could not connect to server: secret.host"))
    assert (found.status, found.headers["Retry-After"]) == (503, "5")
    assert "secret" not in found.detail


@pytest.mark.parametrize(
    "error, status",
    [
        (errors.Unavailable("x"), 503),
        (errors.DeadlinePassed("x"), 503),
        (errors.StorageFault("x"), 503),
        (errors.RowsMissing("x"), 503),
        (errors.Cancelled("x"), 409),
        (errors.FenceLost("x"), 500),
        (errors.RequestError("x"), 400),
        (errors.Gone("x"), 410),
    ],
)
def test_every_error_of_the_engine_has_its_status(error: errors.RowferryError, status: int) -> None:
    found = to_problem(error)
    assert (found.status, found.code) == (status, error.code)
    assert ("Retry-After" in found.headers) == (status == 503)


def test_a_disk_that_takes_nothing_is_503(api: ApiClient, assets: list[Asset], storage_folder: Path) -> None:
    storage_folder.write_text("a file where the folder should be")
    answer = api.create_export()
    assert problem(answer, 503)["code"] == "storage_fault"
    assert answer["Retry-After"]
    assert Export.objects.get().status == "failed"


def test_a_bug_is_500_says_nothing_of_itself_and_is_logged(
    api: ApiClient, people_with_a_bug: None, caplog: pytest.LogCaptureFixture
) -> None:
    found = problem(api.create_export("buggy"), 500)
    assert found["code"] == "internal_error"
    assert "secret" not in json.dumps(found)
    assert "secret" in caplog.text


@pytest.fixture
def people_with_a_bug() -> Iterator[None]:
    @register
    class Buggy(Resource):
        model = Asset
        name = "buggy"
        columns = (Column("id"),)

        def rows_for(self, person: Any) -> Any:
            raise RuntimeError("secret")

    yield
    unregister("buggy")


@pytest.fixture
def unreadable() -> Iterator[None]:
    register(Unreadable)
    yield
    unregister("unreadable")


def test_a_stream_that_fails_half_way_raises_into_the_server(
    transactional_db: None, api: ApiClient, unreadable: None, settings: Any
) -> None:
    settings.ROWFERRY_QUEUE_ABOVE = 100_000
    create_assets(6_000)
    break_row(5_000)
    answer = api.create_export("unreadable")
    assert answer.status_code == 200
    sent = []
    with pytest.raises(SourceFault):
        sent.extend(answer.streaming_content)
    export = Export.objects.get()
    log = ExportLog.objects.get(export=export, event="failed")
    assert export.status == "failed"
    assert 0 < log.processed_items <= 5_000
    assert f"{log.processed_items:,} rows" in log.message
    assert 1 < b"".join(sent).count(b"\r\n") <= 1 + log.processed_items
    assert b"error" not in b"".join(sent).lower()


def test_what_fails_at_its_first_row_is_a_problem(transactional_db: None, api: ApiClient, unreadable: None) -> None:
    create_assets(7)
    break_row(0)
    assert problem(api.create_export("unreadable"), 503)["code"] == "source_fault"
    assert Export.objects.get().status == "failed"


def test_a_client_that_goes_away_ends_the_export(api: ApiClient, settings: Any) -> None:
    settings.ROWFERRY_QUEUE_ABOVE = 100_000
    create_assets(6_000)
    answer = api.create_export()
    next(answer.streaming_content)
    answer._iterator.close()
    export = Export.objects.get()
    assert (export.status, export.error["code"]) == ("failed", "client_gone")


def test_a_malformed_host_is_400(db: None) -> None:
    found = problem(Client().get("/api/v1/exports", HTTP_HOST="\x00evil"), 400)
    assert found["code"] == "bad_request"
    assert Client().get("/login", HTTP_HOST="\x00evil")["Content-Type"].startswith("text/html")
