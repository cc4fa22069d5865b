"""Contract 3.2, 3.3, 3.5 and the manifest of 3.7: what has become of one's exports."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rowferry.assets.models import Asset
from rowferry.exports.models import Export, ExportLog, MailKind
from rowferry.exports.scheduling.notifications import send_due
from rowferry.exports.submission import Operator, enqueue
from tests.api.conftest import ApiClient, content, problem

FIELDS = {
    "export_id",
    "resource_type",
    "format",
    "status",
    "mode",
    "total_items",
    "exported_items",
    "failed_items",
    "success_rate",
    "progress_percent",
    "message",
    "file_size",
    "checksum",
    "filters",
    "columns",
    "sort",
    "actor",
    "on_behalf_of",
    "created_at",
    "started_at",
    "completed_at",
    "duration_seconds",
    "email_sent_at",
    "expires_at",
    "download_url",
    "download_count",
    "error",
    "retry_of",
    "logs_url",
}


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["export_id"] for one in answer.json()["data"]]


def test_the_history_is_newest_first(api: ApiClient) -> None:
    exports = [api.queue_export() for _ in range(3)]
    assert ids(api.get("/exports")) == [str(export.pk) for export in reversed(exports)]


def test_the_history_comes_in_pages(api: ApiClient) -> None:
    exports = [str(api.queue_export().pk) for _ in range(5)]
    answer = api.get("/exports?limit=2&page=2")
    assert ids(answer) == [exports[2], exports[1]]
    assert answer.json()["pagination"] == {"total": 5, "per_page": 2, "current_page": 2, "last_page": 3}


def test_a_page_holds_twenty_and_there_is_always_one(api: ApiClient) -> None:
    assert api.get("/exports").json() == {
        "data": [],
        "pagination": {"total": 0, "per_page": 20, "current_page": 1, "last_page": 1},
    }


def test_a_page_beyond_the_last_is_empty(api: ApiClient) -> None:
    api.queue_export()
    answer = api.get("/exports?page=9")
    assert ids(answer) == []
    assert answer.json()["pagination"]["total"] == 1


def test_the_history_can_be_narrowed(api: ApiClient, assets: list[Asset]) -> None:
    made, waiting = api.run_export(), api.queue_export(resource="tickets", format="json")
    for query, wanted in (
        ("status=completed", made),
        ("status=pending", waiting),
        ("resource_type=tickets", waiting),
        ("format=csv", made),
        ("format=json&status=pending", waiting),
    ):
        assert ids(api.get(f"/exports?{query}")) == [str(wanted.pk)], query
    assert ids(api.get("/exports?format=parquet")) == []


def test_both_days_are_inclusive(api: ApiClient) -> None:
    export = api.queue_export()
    Export.objects.filter(pk=export.pk).update(created_at=datetime(2025, 10, 30, 23, 59, 59, 999999, tzinfo=UTC))
    assert ids(api.get("/exports?date_from=2025-10-30&date_to=2025-10-30")) == [str(export.pk)]
    assert ids(api.get("/exports?date_from=2025-10-31")) == []
    assert ids(api.get("/exports?date_to=2025-10-29")) == []
    assert ids(api.get("/exports?date_to=9999-12-31")) == [str(export.pk)]


@pytest.mark.parametrize(
    "query, field",
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("page=0", "page"),
        ("page=1e3", "page"),
        ("page=%F0%9D%9F%99", "page"),
        ("page=99999999999999999999", "page"),
        ("status=ready", "status"),
        ("date_from=30.10.2025", "date_from"),
        ("date_from=2025-W44-4", "date_from"),
        ("format=%00", "format"),
        ("resource_type=%00", "resource_type"),
        ("colour=red", "colour"),
        ("page=1&page=2", "page"),
    ],
)
def test_a_wrong_parameter_is_named(api: ApiClient, query: str, field: str) -> None:
    assert list(problem(api.get(f"/exports?{query}"), 422)["errors"]) == [field]


def test_one_export_says_everything(api: ApiClient, assets: list[Asset]) -> None:
    order = {"columns": ["id"], "filters": {"status_id": assets[0].status_id}, "sort_by": "name", "sort_order": "desc"}
    export = api.run_export(**order)
    found = api.get(f"/exports/{export.pk}").json()
    here = f"http://testserver/api/v1/exports/{export.pk}"
    assert found.keys() == FIELDS
    expected = {
        "export_id": str(export.pk),
        "resource_type": "assets",
        "format": "csv",
        "status": "completed",
        "mode": "queued",
        "total_items": 3,
        "exported_items": 3,
        "failed_items": 0,
        "success_rate": 100.0,
        "progress_percent": 100,
        "checksum": f"sha256:{export.sha256}",
        "file_size": export.file_size,
        "filters": order["filters"],
        "columns": ["id"],
        "sort": {"by": "name", "order": "desc"},
        "download_url": f"{here}/download",
        "download_count": 0,
        "error": None,
        "retry_of": None,
        "logs_url": f"{here}/logs",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["duration_seconds"] >= 0


def test_status_says_when_the_mail_about_the_end_was_sent(api: ApiClient, assets: list[Asset]) -> None:
    export = api.run_export()
    assert api.get(f"/exports/{export.pk}").json()["email_sent_at"] is None
    assert send_due() == 1
    sent_at = export.mails.get().sent_at
    assert datetime.fromisoformat(api.get(f"/exports/{export.pk}").json()["email_sent_at"]) == sent_at


def test_reminder_does_not_count_as_the_mail_about_the_end(api: ApiClient, assets: list[Asset]) -> None:
    export = api.run_export(email_notification=False)
    values = {"created_at": timezone.now(), "sent_at": timezone.now(), "recipient": "owner@example.com"}
    export.mails.create(kind=MailKind.REMINDER, **values)
    assert api.get(f"/exports/{export.pk}").json()["email_sent_at"] is None


def test_mails_of_a_page_are_read_at_once(api: ApiClient, assets: list[Asset]) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.get("/exports")
        return len(captured)

    api.run_export()
    count_of_one = count_queries()
    for _ in range(3):
        api.run_export()
    assert count_queries() == count_of_one


def test_times_are_rfc_3339_in_utc_with_z(api: ApiClient) -> None:
    export = api.run_export()
    with timezone.override("Asia/Tokyo"):
        found = api.get(f"/exports/{export.pk}").json()
    for name in ("created_at", "started_at", "completed_at", "expires_at"):
        assert found[name].endswith("Z")
        assert datetime.fromisoformat(found[name]) == getattr(export, name)


def test_an_export_that_waits_has_nothing_to_download_yet(api: ApiClient) -> None:
    found = api.get(f"/exports/{api.queue_export().pk}").json()
    empty = ("download_url", "checksum", "file_size", "started_at", "completed_at", "duration_seconds", "success_rate")
    assert {found[name] for name in empty} == {None}
    assert (found["progress_percent"], found["sort"]) == (0, {"by": None, "order": "asc"})


def test_a_running_export_says_how_far_it_is(api: ApiClient) -> None:
    export = api.queue_export()
    Export.objects.filter(pk=export.pk).update(status="processing", worker="w", exported_items=56, total_items=100)
    found = api.get(f"/exports/{export.pk}").json()
    assert (found["progress_percent"], found["message"]) == (56, "Processing… (56% complete)")
    assert found["success_rate"] == 100.0


def test_success_rate_of_a_running_export_falls_with_each_row_that_is_left_out(api: ApiClient) -> None:
    export = api.queue_export()
    Export.objects.filter(pk=export.pk).update(status="processing", worker="w", total_items=100)
    assert api.get(f"/exports/{export.pk}").json()["success_rate"] == 100.0
    Export.objects.filter(pk=export.pk).update(exported_items=3, failed_items=1)
    assert api.get(f"/exports/{export.pk}").json()["success_rate"] == 75.0


def test_what_has_expired_has_no_download_url(api: ApiClient) -> None:
    export = api.run_export()
    Export.objects.filter(pk=export.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api.get(f"/exports/{export.pk}").json()["download_url"] is None


def test_a_failed_export_has_a_problem(api: ApiClient) -> None:
    export = api.queue_export()
    stored = {"code": "rows_missing", "title": "Not complete", "detail": "2 rows of 3.", "retryable": True}
    Export.objects.filter(pk=export.pk).update(status="failed", error=stored)
    error = api.get(f"/exports/{export.pk}").json()["error"]
    assert error == stored | {"type": "urn:rowferry:problem:rows_missing", "status": 503}


def test_the_log_is_oldest_first(api: ApiClient) -> None:
    export = api.run_export()
    answer = api.get(f"/exports/{export.pk}/logs").json()
    events = [one["event"] for one in answer["data"]]
    assert events[:2] == ["initiated", "processing"]
    assert events[-1] == "completed"
    assert answer["pagination"] == {"total": len(events), "per_page": 50, "current_page": 1, "last_page": 1}


def test_an_event_says_who_did_it(api: ApiClient) -> None:
    found = api.get(f"/exports/{api.run_export().pk}/logs").json()["data"]
    assert found[0].keys() == {
        "event",
        "message",
        "processed_items",
        "total_items",
        "current_batch",
        "total_batches",
        "duration_ms",
        "error_message",
        "actor",
        "on_behalf_of",
        "created_at",
    }
    assert found[0]["processed_items"] == 0
    assert found[0]["actor"] == {"id": str(api.user.pk), "name": "owner", "email": "owner@example.com"}
    assert found[1]["actor"] is None
    assert found[0]["created_at"].endswith("Z")
    assert found[-1]["duration_ms"] >= 0


def test_the_log_can_be_narrowed_and_comes_in_pages(api: ApiClient) -> None:
    export = api.run_export()
    assert [one["event"] for one in api.get(f"/exports/{export.pk}/logs?event=completed").json()["data"]] == [
        "completed"
    ]
    second = api.get(f"/exports/{export.pk}/logs?limit=1&page=2").json()
    assert [one["event"] for one in second["data"]] == ["processing"]
    assert second["pagination"]["last_page"] == ExportLog.objects.filter(export=export).count()


@pytest.mark.parametrize("query", ["limit=501", "event=exploded", "status=failed", "event=failed&event=failed"])
def test_a_wrong_parameter_of_the_log_is_422(api: ApiClient, query: str) -> None:
    problem(api.get(f"/exports/{api.queue_export().pk}/logs?{query}"), 422)


def test_the_manifest_proves_the_file(api: ApiClient, assets: list[Asset]) -> None:
    export = api.run_export()
    data = content(api.get(f"/exports/{export.pk}/download"))
    found = api.get(f"/exports/{export.pk}/manifest").json()
    assert found["export_id"] == str(export.pk)
    assert (found["rows_expected"], found["rows_written"], found["rows_failed"]) == (3, 3, 0)
    assert (found["bytes"], found["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_there_is_no_manifest_before_there_is_a_file(api: ApiClient) -> None:
    problem(api.get(f"/exports/{api.queue_export().pk}/manifest"), 409)


def test_the_signed_in_person_acted_by_the_api(api: ApiClient) -> None:
    export = api.run_export()
    content(api.get(f"/exports/{export.pk}/download"))
    assert api.delete(f"/exports/{export.pk}").status_code == 204
    who = {"id": str(api.user.pk), "name": "owner", "email": "owner@example.com"}
    told = [api.get(f"/exports/{export.pk}").json(), api.get(f"/exports/{export.pk}/manifest").json()]
    lines = {line["event"]: line for line in api.get(f"/exports/{export.pk}/logs").json()["data"]}
    told += [lines[event] for event in ("initiated", "downloaded", "deleted")]
    assert [(one["actor"], one["on_behalf_of"]) for one in told] == [(who, None)] * 5
    for event in ("processing", "completed"):
        assert (lines[event]["actor"], lines[event]["on_behalf_of"]) == (None, None)


def test_a_person_sees_that_the_operator_acted_for_them(api: ApiClient) -> None:
    export = enqueue("assets", {"format": "csv"}, Operator(on_behalf_of=api.user))
    (line,) = api.get(f"/exports/{export.pk}/logs").json()["data"]
    (listed,) = api.get("/exports").json()["data"]
    for told in (line, listed):
        assert told["actor"] == {"id": None, "name": "operator", "email": ""}
        assert told["on_behalf_of"] == {"id": str(api.user.pk), "name": "owner", "email": "owner@example.com"}
