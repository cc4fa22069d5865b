"""Orders that are taken back, and given again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from rowferry.exports import tracking
from rowferry.exports.errors import Conflict
from rowferry.exports.execution import queued
from rowferry.exports.models import Attempt, EmailOutbox, ExportLog
from rowferry.exports.scheduling import scheduler
from tests.factories.assets import AssetFactory
from tests.factories.exports import (
    claim_export,
    end_lease,
    events,
    list_files,
    queue_export,
    reload_export,
    update_export,
    watched_rows,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_waits_is_cancelled_at_once(owner: User):
    export = queue_export(owner)
    assert tracking.cancel(owner, export.pk).status == "cancelled"
    assert queued.run_next() is None
    line = ExportLog.objects.get(export=export, event="cancelled")
    assert line.actor_name == "owner"
    with pytest.raises(Conflict):
        tracking.cancel(owner, export.pk)


def test_what_runs_stops_at_its_next_batch(owner: User, storage_folder: Path):
    def cancel() -> None:
        assert tracking.cancel(owner, export.pk).message == "Being cancelled…"
        time.sleep(queued.REPORT_INTERVAL)

    with watched_rows(9_000) as at_row:
        export = queue_export(owner, "groups")
        at_row[2_500] = cancel
        at_row[4_500] = lambda: pytest.fail("It went on after the batch.")
        queued.run_next()
        assert 4_500 in at_row
    assert (reload_export(export).status, reload_export(export).exported_items) == ("cancelled", 4_000)
    assert events(export) == ["initiated", "processing", "cancelled"]
    assert list_files(storage_folder) == []
    assert Attempt.objects.get(export=export).outcome == "cancelled"
    assert not EmailOutbox.objects.exists()


def test_what_is_cancelled_at_its_last_row_is_never_completed(owner: User, storage_folder: Path):
    with watched_rows(3_000) as at_row:
        export = queue_export(owner, "groups")
        at_row[3_000] = lambda: tracking.cancel(owner, export.pk)
        queued.run_next()
    assert reload_export(export).status == "cancelled"
    assert "completed" not in events(export)
    assert list_files(storage_folder) == []


def test_a_retry_that_waits_can_be_cancelled(owner: User, storage_folder: Path):
    storage_folder.write_text("A file where the folder should be.")
    export = queue_export(owner)
    queued.run_next()
    assert tracking.cancel(owner, export.pk).status == "cancelled"
    end_lease(export)
    assert queued.run_next() is None
    assert events(export) == ["initiated", "processing", "retrying", "cancelled"]


def test_what_was_cancelled_while_its_worker_died_is_cancelled_and_not_tried_again(owner: User):
    export = queue_export(owner)
    claim_export()
    tracking.cancel(owner, export.pk)
    end_lease(export)
    assert queued.run_next() is None
    assert scheduler.end_abandoned() == 1
    assert reload_export(export).status == "cancelled"
    assert Attempt.objects.get(export=export).outcome == "interrupted"


def test_what_is_cancelled_after_its_worker_died_leaves_no_try_open(owner: User):
    export = queue_export(owner)
    claim_export()
    end_lease(export)
    assert tracking.cancel(owner, export.pk).status == "cancelled"
    tried = Attempt.objects.get(export=export)
    assert (tried.outcome, tried.ended_at is not None) == ("interrupted", True)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_retry_by_hand_is_a_new_export_with_the_same_spec(owner: User, storage_folder: Path, status: str):
    AssetFactory.create_batch(3)
    old = update_export(queue_export(owner, columns=["id", "name"]), status=status)
    new = tracking.retry(owner, old.pk)
    assert (new.retry_of_id, new.spec, new.mode, reload_export(old).status) == (old.pk, old.spec, "queued", status)
    queued.run_next()
    assert (reload_export(new).status, reload_export(new).exported_items, reload_export(old).status) == (
        "completed",
        3,
        status,
    )


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "expired", "deleted"])
def test_only_what_failed_or_was_cancelled_can_be_retried(owner: User, status: str):
    with pytest.raises(Conflict):
        tracking.retry(owner, update_export(queue_export(owner), status=status).pk)
