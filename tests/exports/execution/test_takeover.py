"""A worker that dies loses nothing, and one that was only taken for dead changes nothing."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from rowferry.exports import lifecycle, tasks
from rowferry.exports.errors import FenceLost
from rowferry.exports.execution import queued
from rowferry.exports.execution.heartbeat import Heartbeat
from rowferry.exports.models import Attempt, EmailOutbox, Export, Status
from rowferry.exports.scheduling import notifications, scheduler
from tests.factories.exports import (
    claim_export,
    create_export_in_state,
    end_lease,
    events,
    is_sound,
    list_files,
    queue_export,
    reload_export,
    update_export,
    watched_rows,
)

pytestmark = pytest.mark.django_db(transaction=True)


def ids(export: Export, folder: Path) -> list[int]:
    with (folder / export.file_key).open(encoding="utf-8-sig", newline="") as stream:
        return [int(row["id"]) for row in csv.DictReader(stream)]


def test_after_its_lease_an_export_starts_over_with_a_new_fence(owner: User, storage_folder: Path):
    with watched_rows(5_000):
        export = queue_export(owner, "groups")
        dead = claim_export()
        update_export(export, exported_items=4_000)
        end_lease(export)
        queued.run_next()
        done = reload_export(export)
        assert (done.status, done.attempt, done.fence, done.exported_items) == ("completed", 2, dead.fence + 1, 5_000)
        assert is_sound(done, storage_folder)
        assert len(set(ids(done, storage_folder))) == 5_000
    assert events(export) == ["initiated", "processing", "processing", "completed"]


def test_a_worker_that_was_taken_for_dead_publishes_nothing(owner: User, storage_folder: Path):
    heirs: list[Export | None] = []

    def overtaken() -> None:
        end_lease(export)
        heirs.append(queued.run_next())

    with watched_rows(5_000) as at_row:
        export = queue_export(owner, "groups")
        at_row[4_500] = overtaken
        queued.run_next()
        done = reload_export(export)
        assert [heir.pk for heir in heirs if heir] == [export.pk]
        assert (done.status, done.fence, done.file_key) == ("completed", 2, f"{export.pk}.2.csv")
        assert is_sound(done, storage_folder)
    assert events(export).count("completed") == 1
    assert EmailOutbox.objects.count() == 1


def test_a_late_completion_loses_the_fence_and_takes_its_file_with_it(owner: User, storage_folder: Path):
    export = queue_export(owner)
    old = claim_export()
    end_lease(export)
    new = claim_export()
    queued.run(old)
    assert list_files(storage_folder) == []
    assert (reload_export(export).status, reload_export(export).fence) == ("processing", new.fence)
    queued.run(new)
    assert reload_export(export).status == "completed"
    assert is_sound(reload_export(export), storage_folder)


def test_no_act_of_an_old_attempt_reaches_the_row(owner: User):
    export = queue_export(owner)
    old = claim_export()
    end_lease(export)
    claim_export()
    before = Export.objects.filter(pk=export.pk).values().get()
    with pytest.raises(FenceLost):
        lifecycle.beat(old, 10)
    with pytest.raises(FenceLost):
        lifecycle.progress(old, 10, batch=1, batches=2, duration_ms=3)
    assert not lifecycle.fail(old, queued.UnexpectedFault("Late."), 10)
    assert not lifecycle.mark_cancelled(old, 10)
    assert Export.objects.filter(pk=export.pk).values().get() == before


def test_a_job_that_kills_each_of_its_workers_fails_after_three(owner: User):
    export = queue_export(owner)
    for _ in range(3):
        claim_export()
        end_lease(export)
    assert lifecycle.claim_due("a fourth") is None
    assert scheduler.notify_due() == 0
    assert scheduler.end_abandoned() == 1
    failed = reload_export(export)
    assert (failed.status, failed.error["code"], failed.attempt) == ("failed", "interrupted", 3)
    assert [attempt.outcome for attempt in Attempt.objects.filter(export=export)] == ["interrupted"] * 3
    notifications.send_due()
    assert [message.subject for message in mail.outbox] == ["Your export failed"]


def test_what_a_worker_hands_over_is_due_at_once_and_its_try_does_not_count(owner: User, storage_folder: Path):
    with watched_rows(5_000) as at_row:
        export = queue_export(owner, "groups")
        update_export(export, max_attempts=1)
        at_row[4_500] = lambda: tasks.release_leases([os.getpid()])
        queued.run_next()
        assert list_files(storage_folder) == []
        waiting = reload_export(export)
        assert (waiting.status, waiting.worker, waiting.attempt, waiting.max_attempts) == ("processing", "", 1, 2)
        queued.run_next()
        assert reload_export(export).status == "completed"
        assert is_sound(reload_export(export), storage_folder)
    assert [attempt.outcome for attempt in Attempt.objects.order_by("number")] == ["handed_over", "completed"]
    assert events(export) == ["initiated", "processing", "retrying", "processing", "completed"]


def test_a_worker_hands_over_only_what_it_holds_itself(owner: User):
    claim_of_another = lifecycle.claim_due("another:1") if queue_export(owner) else None
    assert claim_of_another is not None
    retrying = create_export_in_state(owner, Status.PROCESSING, worker="")
    over = create_export_in_state(owner, Status.PROCESSING, worker=queued.worker_name(), lease_until=timezone.now())
    asked_for_here = create_export_in_state(owner, Status.PROCESSING, worker=queued.worker_name(), mode="streamed")
    before = list(Export.objects.order_by("pk").values())
    assert not tasks.at_work([os.getpid()])
    assert lifecycle.release_leases([queued.worker_name()]) == []
    assert list(Export.objects.order_by("pk").values()) == before
    assert len({retrying.pk, over.pk, asked_for_here.pk}) == 3


def test_what_its_owner_has_cancelled_is_not_handed_over(owner: User):
    export = queue_export(owner)
    claim_export()
    lifecycle.request_cancel(export, owner)
    assert tasks.at_work([os.getpid()])
    tasks.release_leases([os.getpid()])
    assert reload_export(export).attempt == reload_export(export).max_attempts - 2
    assert events(export) == ["initiated", "processing"]


def test_the_heartbeat_keeps_the_lease_on_a_connection_of_its_own(owner: User, settings: Any):
    settings.ROWFERRY_HEARTBEAT = 0.02
    export = queue_export(owner)
    claim = claim_export()
    end_lease(export)
    with Heartbeat(claim) as heart:
        heart.rows = 123
        wait_for(lambda: reload_export(export).exported_items == 123)
    assert reload_export(export).lease_until > timezone.now()


def test_the_heartbeat_hears_that_another_worker_took_over(owner: User, settings: Any):
    settings.ROWFERRY_HEARTBEAT = 0.02
    export = queue_export(owner)
    old = claim_export()
    with Heartbeat(old) as heart:
        update_export(export, fence=old.fence + 1)
        wait_for(lambda: is_stopped(heart))
        with pytest.raises(FenceLost):
            heart.check()


def test_the_heartbeat_lets_go_after_the_deadline(owner: User, settings: Any):
    settings.ROWFERRY_HEARTBEAT, settings.ROWFERRY_TIME_LIMIT = 0.01, 0.05
    queue_export(owner)
    with Heartbeat(claim_export()) as heart:
        wait_for(lambda: not heart._thread.is_alive())


def is_stopped(heart: Heartbeat) -> bool:
    return heart._stop is not None


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not come to pass."
        time.sleep(0.01)
