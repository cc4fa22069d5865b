"""Contract 3.6 and 3.7: doing something with an export that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowferry.exports.execution.queued import run_next
from rowferry.exports.models import Export, ExportLog
from tests.api.conftest import ApiClient, content, problem


def in_state(api: ApiClient, status: str) -> Export:
    export = api.run_export() if status in ("completed", "expired", "deleted") else api.queue_export()
    error = {"code": "fault", "title": "t", "detail": "d", "retryable": True} if status == "failed" else None
    Export.objects.filter(pk=export.pk).update(status=status, worker="w", error=error)
    return export


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_retry_is_a_new_queued_export_of_the_same_spec(api: ApiClient, status: str) -> None:
    old = in_state(api, status)
    before = Export.objects.filter(pk=old.pk).values().get()
    answer = api.post(f"/exports/{old.pk}/retry")
    new = Export.objects.get(pk=answer.json()["export_id"])
    assert answer.status_code == 202
    assert answer.json()["mode"] == "queued"
    assert answer["Location"].endswith(str(new.pk))
    assert int(answer["Retry-After"]) >= 1
    assert answer["RateLimit-Policy"] == '"exports";q=1000;w=60'
    assert answer["RateLimit"].startswith('"exports";r=998;t=')
    assert (new.spec, new.retry_of_id, new.status) == (old.spec, old.pk, "pending")
    assert api.get(f"/exports/{new.pk}").json()["retry_of"] == str(old.pk)
    assert Export.objects.filter(pk=old.pk).values().get() == before
    run_next()
    assert Export.objects.get(pk=new.pk).status == "completed"


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "expired", "deleted"])
def test_only_what_failed_or_was_cancelled_can_be_retried(api: ApiClient, status: str) -> None:
    problem(api.post(f"/exports/{in_state(api, status).pk}/retry"), 409)


def test_what_waits_is_cancelled_at_once(api: ApiClient) -> None:
    export = api.queue_export()
    answer = api.post(f"/exports/{export.pk}/cancel")
    assert answer.status_code == 202
    assert (answer.json()["export_id"], answer.json()["status"]) == (str(export.pk), "cancelled")
    assert run_next() is None


def test_what_runs_is_asked_to_stop(api: ApiClient) -> None:
    export = in_state(api, "processing")
    assert api.post(f"/exports/{export.pk}/cancel").status_code == 202
    export.refresh_from_db()
    assert export.cancel_requested_at is not None


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "expired", "deleted"])
def test_what_has_ended_cannot_be_cancelled(api: ApiClient, status: str) -> None:
    problem(api.post(f"/exports/{in_state(api, status).pk}/cancel"), 409)


def test_deleting_takes_the_file_and_leaves_the_log(api: ApiClient, storage_folder: Path) -> None:
    export = api.run_export()
    assert list(storage_folder.iterdir())
    answer = api.delete(f"/exports/{export.pk}")
    assert (answer.status_code, content(answer)) == (204, b"")
    assert not list(storage_folder.iterdir())
    assert ExportLog.objects.filter(export=export, event="deleted", actor_name="owner").exists()
    assert api.get(f"/exports/{export.pk}").json()["status"] == "deleted"
    problem(api.get(f"/exports/{export.pk}/download"), 404)
    assert api.get(f"/exports/{export.pk}/logs").status_code == 200


def test_deleting_twice_is_no_error(api: ApiClient) -> None:
    export = api.run_export()
    assert [api.delete(f"/exports/{export.pk}").status_code for _ in range(2)] == [204, 204]


@pytest.mark.parametrize("status", ["pending", "processing"])
def test_what_has_not_ended_cannot_be_deleted(api: ApiClient, status: str) -> None:
    problem(api.delete(f"/exports/{in_state(api, status).pk}"), 409)
