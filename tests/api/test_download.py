"""Contract 3.4: fetching the file, all of it or a part, once or again."""

from __future__ import annotations

import base64
import hashlib
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone
from django.utils.http import http_date
from rest_framework.request import Request

from rowferry.api.files import PreconditionFailedError, file_response
from rowferry.api.ranges import UnsatisfiableRangeError
from rowferry.assets.models import Asset
from rowferry.exports import tracking
from rowferry.exports.models import Export, ExportLog
from tests.api.conftest import ApiClient, content, problem


@pytest.fixture
def export(api: ApiClient, assets: list[Asset]) -> Export:
    return api.run_export()


@pytest.fixture
def data(export: Export, storage_folder: Path) -> bytes:
    return (storage_folder / export.file_key).read_bytes()


@pytest.fixture
def path(export: Export) -> str:
    return f"/exports/{export.pk}/download"


def downloads(export: Export) -> tuple[int, list[str]]:
    export.refresh_from_db()
    lines = ExportLog.objects.filter(export=export, event="downloaded")
    return export.download_count, [line.message for line in lines]


def test_the_whole_file(api: ApiClient, export: Export, path: str, data: bytes) -> None:
    answer = api.get(path)
    digest = hashlib.sha256(data)
    assert (answer.status_code, content(answer)) == (200, data)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Length"] == str(len(data))
    assert answer["ETag"] == f'"{digest.hexdigest()}"'
    assert answer["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Last-Modified"] == http_date(export.completed_at.timestamp())
    assert answer["Content-Disposition"] == f'attachment; filename="{export.filename}"'


def test_each_download_is_counted_and_logged(api: ApiClient, export: Export, path: str) -> None:
    content(api.get(path))
    content(api.get(path, range="bytes=0-3"))
    count, messages = downloads(export)
    assert count == 2
    assert messages[0] == "Downloaded (the whole file) to 127.0.0.1."
    assert messages[1].startswith("Downloaded (bytes 0-3/")
    assert api.get(f"/exports/{export.pk}").json()["download_count"] == 2
    assert ExportLog.objects.filter(export=export, event="downloaded", actor_name="owner").count() == 2


def test_the_log_names_the_client_behind_a_trusted_proxy(api: ApiClient, assets: list[Asset], settings: Any) -> None:
    settings.ROWFERRY_TRUSTED_PROXIES = 1
    export = api.run_export()
    content(api.get(f"/exports/{export.pk}/download", x_forwarded_for="6.6.6.6, 203.0.113.9"))
    logged = api.get(f"/exports/{export.pk}/logs?event=downloaded").json()["data"]
    assert [line["message"] for line in logged] == ["Downloaded (the whole file) to 203.0.113.9."]


def test_a_range(api: ApiClient, path: str, data: bytes) -> None:
    answer = api.get(path, range="bytes=5-14")
    assert (answer.status_code, content(answer)) == (206, data[5:15])
    assert answer["Content-Range"] == f"bytes 5-14/{len(data)}"
    assert answer["Content-Length"] == "10"


def test_a_server_can_send_a_part_from_the_file_itself(owner: User, export: Export, data: bytes) -> None:
    _, file = tracking.open_file(owner, export.pk)
    answer: Any = file_response(Request(RequestFactory().get("/", headers={"range": "bytes=5-14"})), file)
    number = answer.file_to_stream.fileno()
    assert os.lseek(number, 0, os.SEEK_CUR) == 5
    assert os.pread(number, int(answer["Content-Length"]), 5) == data[5:15]
    assert content(answer) == data[5:15]
    answer.close()
    assert file.stream.closed


def test_a_range_joins_what_was_broken_off(api: ApiClient, path: str, data: bytes) -> None:
    first = content(api.get(path, range="bytes=0-19"))
    assert first + content(api.get(path, range="bytes=20-")) == data


def test_several_ranges_are_answered_with_the_whole_file(api: ApiClient, path: str, data: bytes) -> None:
    answer = api.get(path, range="bytes=0-1,4-5")
    assert (answer.status_code, content(answer)) == (200, data)


def test_a_range_outside_is_416_and_says_the_size(api: ApiClient, export: Export, path: str, data: bytes) -> None:
    answer = api.get(path, range=f"bytes={len(data)}-")
    problem(answer, 416)
    assert answer["Content-Range"] == f"bytes */{len(data)}"
    assert downloads(export) == (0, [])


def test_if_range_gives_the_part_of_this_file_only(api: ApiClient, export: Export, path: str, data: bytes) -> None:
    etag, dated = f'"{export.sha256}"', http_date(export.completed_at.timestamp())
    for condition, status in ((etag, 206), (dated, 206), ('"other"', 200), (f"W/{etag}", 200), (http_date(0), 200)):
        answer = api.get(path, **{"range": "bytes=0-0", "if-range": condition})
        assert answer.status_code == status, condition


@pytest.mark.parametrize("condition", ['"{sha256}"', '"x", "{sha256}"', 'W/"{sha256}"', "*"])
def test_who_has_the_file_already_is_told_so(api: ApiClient, export: Export, path: str, condition: str) -> None:
    answer = api.get(path, **{"if-none-match": condition.format(sha256=export.sha256)})
    assert (answer.status_code, content(answer)) == (304, b"")
    assert answer["ETag"] == f'"{export.sha256}"'
    assert downloads(export) == (0, [])


def test_another_etag_gets_the_file(api: ApiClient, path: str, data: bytes) -> None:
    assert content(api.get(path, **{"if-none-match": '"another"'})) == data


def test_if_modified_since(api: ApiClient, export: Export, path: str) -> None:
    moment = export.completed_at.timestamp()
    assert api.get(path, **{"if-modified-since": http_date(moment)}).status_code == 304
    assert api.get(path, **{"if-modified-since": http_date(moment - 10)}).status_code == 200


def test_a_condition_that_does_not_hold_is_412(api: ApiClient, path: str) -> None:
    problem(api.get(path, **{"if-match": '"another"'}), 412)


def _stable_headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.items() if name != "X-Request-Id"}


def test_head_says_what_get_would_and_counts_nothing(api: ApiClient, export: Export, path: str, data: bytes) -> None:
    head, whole = api.head(path), api.get(path)
    content(whole)
    assert (head.status_code, content(head)) == (200, b"")
    assert _stable_headers(head) == _stable_headers(whole)
    assert not head.streaming
    assert downloads(export)[0] == 1


@pytest.mark.parametrize(
    "method, headers",
    [
        ("get", {}),
        ("get", {"range": "bytes=0-3"}),
        ("get", {"range": "bytes=9999999-"}),
        ("get", {"if-none-match": "*"}),
        ("get", {"if-match": '"another"'}),
        ("head", {}),
    ],
)
def test_the_file_is_closed_with_the_answer_though_nobody_reads_it(
    owner: User, export: Export, method: str, headers: dict[str, str]
) -> None:
    _, file = tracking.open_file(owner, export.pk)
    with suppress(UnsatisfiableRangeError, PreconditionFailedError):
        answer = file_response(Request(RequestFactory().generic(method.upper(), "/", headers=headers)), file)
        for close in answer._resource_closers:
            close()
    assert file.stream.closed


def test_what_is_not_ready_is_409(api: ApiClient) -> None:
    waiting = api.queue_export()
    for status in ("pending", "processing", "failed", "cancelled"):
        Export.objects.filter(pk=waiting.pk).update(status=status)
        problem(api.get(f"/exports/{waiting.pk}/download"), 409)


def test_what_has_expired_is_410(api: ApiClient, export: Export, path: str) -> None:
    Export.objects.filter(pk=export.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    problem(api.get(path), 410)
    Export.objects.filter(pk=export.pk).update(status="expired")
    problem(api.get(path), 410)


def test_a_file_that_is_gone_is_404(api: ApiClient, export: Export, path: str, storage_folder: Path) -> None:
    (storage_folder / export.file_key).unlink()
    problem(api.get(path), 404)
    assert downloads(export) == (0, [])


@pytest.mark.django_db(transaction=True)  # on the engine's own snapshot, where the count is sure before the rows
def test_an_empty_export_can_be_downloaded(api: ApiClient, db: Any) -> None:
    export = api.run_export(format="json", filters={"status_id": 1})
    assert content(api.get(f"/exports/{export.pk}/download")).rstrip().endswith(b'"data":[]}')
