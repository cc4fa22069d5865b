"""The states of an export: which moves exist, what each leaves in the log, and what nobody can undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.signals import post_save
from django.utils import timezone

from rowferry.exports import lifecycle, tracking
from rowferry.exports.errors import Conflict, FenceLost, NotPermitted
from rowferry.exports.execution import queued
from rowferry.exports.lifecycle import MOVES, Claim, FileResult
from rowferry.exports.models import Attempt, EmailOutbox, Export, ExportLog, Mode, Status
from rowferry.exports.storage import StoredFile
from tests.factories.assets import AssetFactory
from tests.factories.exports import (
    LONG_AGO,
    claim_export,
    create_export_in_state,
    end_lease,
    events,
    queue_export,
    reload_export,
    update_export,
    watched_rows,
)
from tests.factories.tables import leading_columns

LEASE = timedelta(seconds=60)
FACTS = FileResult(StoredFile("a-key", 12, "ab" * 32), 3, 0, timezone.now(), {"manifest_version": 1})


def claim_of(export: Export) -> Claim:
    return Claim(export, export.fence, LEASE)


def in_a_request(export: Export) -> Export:
    return update_export(export, mode=Mode.IMMEDIATE)


def wanted_no_more(export: Export) -> Export:
    return end_lease(update_export(export, cancel_requested_at=timezone.now()))


Act = Callable[[Export], object]
DOORS: dict[str, tuple[Act, set[Status], Status]] = {
    "a worker takes it": (lambda e: lifecycle.claim_due("me"), {Status.PENDING}, Status.PROCESSING),
    "its file is whole": (lambda e: lifecycle.complete(claim_of(e), FACTS, 5), {Status.PROCESSING}, Status.COMPLETED),
    "it fails": (
        lambda e: lifecycle.fail(claim_of(e), NotPermitted("No."), 0),
        {Status.PROCESSING},
        Status.FAILED,
    ),
    "its worker dies": (lambda e: lifecycle.fail_abandoned(end_lease(e)), {Status.PROCESSING}, Status.FAILED),
    "its request dies": (lambda e: lifecycle.fail_unstarted(in_a_request(e)), {Status.PENDING}, Status.FAILED),
    "nobody works on it and it is cancelled": (
        lambda e: lifecycle.request_cancel(e, None),
        {Status.PENDING},
        Status.CANCELLED,
    ),
    "its worker sees that it is cancelled": (
        lambda e: lifecycle.mark_cancelled(claim_of(e), 0),
        {Status.PROCESSING},
        Status.CANCELLED,
    ),
    "it is cancelled and its worker dies": (
        lambda e: lifecycle.mark_abandoned_cancelled(wanted_no_more(e)),
        {Status.PROCESSING},
        Status.CANCELLED,
    ),
    "its time is over": (lifecycle.expire, {Status.COMPLETED}, Status.EXPIRED),
    "it is deleted": (
        lambda e: lifecycle.delete(e, None),
        {Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED},
        Status.DELETED,
    ),
}
CASES = [
    pytest.param(act, start, start in opens, to, id=f"{start}: {name}")
    for name, (act, opens, to) in DOORS.items()
    for start in Status
]


def moves(act: Act, export: Export) -> bool:
    """Whether the state is another one afterwards; a refusal may say so by an error."""
    before = reload_export(export).status
    try:
        act(reload_export(export))
    except (Conflict, FenceLost):
        return False
    return reload_export(export).status != before


def test_the_doors_together_open_every_move_of_the_table_and_no_other():
    opened = {(start, to) for _, starts, to in DOORS.values() for start in starts}
    assert opened == {(start, to) for start, targets in MOVES.items() for to in targets}


@pytest.mark.django_db
@pytest.mark.parametrize(("act", "start", "opens", "to"), CASES)
def test_a_move_works_once_from_where_it_may_and_else_leaves_no_trace(
    owner: User, act: Act, start: Status, opens: bool, to: Status
):
    export = create_export_in_state(owner, start)
    lines = ExportLog.objects.count()
    assert moves(act, export) is opens
    assert reload_export(export).status == (to if opens else start)
    assert ExportLog.objects.count() == lines + opens
    assert not moves(act, export)
    assert ExportLog.objects.count() == lines + opens


@pytest.mark.django_db
@pytest.mark.parametrize(("act", "start", "opens", "to"), [case for case in CASES if case.values[2]])
def test_a_move_whose_log_line_cannot_be_written_is_not_made(
    owner: User, act: Act, start: Status, opens: bool, to: Status
):
    def refuse(**_: Any) -> None:
        raise RuntimeError("The log is full.")

    export = create_export_in_state(owner, start)
    lines = ExportLog.objects.count()
    post_save.connect(refuse, sender=ExportLog)
    try:
        with pytest.raises(RuntimeError):
            act(export)
    finally:
        post_save.disconnect(refuse, sender=ExportLog)
    assert (reload_export(export).status, ExportLog.objects.count()) == (start, lines)
    assert not EmailOutbox.objects.exists()


@pytest.mark.django_db
def test_the_first_line_of_the_log_comes_with_the_row_or_not_at_all(owner: User):
    def refuse(**_: Any) -> None:
        raise RuntimeError("The log is full.")

    post_save.connect(refuse, sender=ExportLog)
    try:
        with pytest.raises(RuntimeError):
            queue_export(owner)
    finally:
        post_save.disconnect(refuse, sender=ExportLog)
    assert not Export.objects.exists()


@pytest.mark.django_db
def test_a_line_of_the_log_can_be_neither_changed_nor_removed(owner: User):
    line = ExportLog.objects.get(export=queue_export(owner))
    line.message = "Nothing happened."
    with pytest.raises(TypeError, match="append-only"):
        line.save()
    with pytest.raises(TypeError, match="append-only"):
        line.delete()
    assert ExportLog.objects.get().message.startswith("Export of assets as csv")


@pytest.mark.django_db
def test_the_log_outlives_the_user_and_still_names_them(owner: User):
    export, name, key = queue_export(owner), owner.username, str(owner.pk)
    owner.delete()
    line = ExportLog.objects.get(export=export)
    assert (line.actor_id, line.actor_name, line.actor_email) == (key, name, "owner@example.com")
    assert (reload_export(export).user_id, reload_export(export).user_name) == (None, name)


@pytest.mark.django_db(transaction=True)
def test_a_whole_life_in_the_log(owner: User, stranger: User):
    AssetFactory.create_batch(3)
    export = queue_export(owner)
    assert (export.status, export.attempt, export.started_at, export.total_items) == ("pending", 0, None, 3)
    queued.run_next()
    done = reload_export(export)
    tracking.note_download(owner, done, "The whole file, to 127.0.0.1.")
    tracking.delete(owner, export.pk)
    assert events(export) == ["initiated", "processing", "completed", "downloaded", "deleted"]
    assert (done.status, done.attempt, done.exported_items, done.failed_items) == ("completed", 1, 3, 0)
    assert done.created_at <= done.started_at <= done.completed_at < done.expires_at
    assert done.expires_at - done.completed_at == pytest.approx(timedelta(days=30), abs=timedelta(seconds=1))
    assert (done.lease_until, done.error, reload_export(export).download_count) == (None, None, 1)
    assert done.sha256 in ExportLog.objects.get(export=export, event="completed").message
    tried = Attempt.objects.get(export=export)
    assert (tried.number, tried.outcome, tried.rows) == (1, "completed", 3)
    assert done.started_at <= tried.ended_at


@pytest.mark.django_db
def test_a_second_try_keeps_the_first_start_and_closes_the_first_attempt(owner: User):
    export = queue_export(owner)
    lifecycle.claim_due("first")
    begun = end_lease(export).started_at
    second = lifecycle.claim_due("second")
    assert second is not None
    assert (reload_export(export).started_at, reload_export(export).attempt, second.fence) == (begun, 2, 2)
    first, later = Attempt.objects.filter(export=export).order_by("number")
    assert (first.worker, first.outcome, later.worker, later.ended_at) == ("first", "interrupted", "second", None)
    assert first.ended_at is not None
    assert events(export) == ["initiated", "processing", "processing"]


@pytest.mark.django_db(transaction=True)
def test_progress_is_logged_every_tenth_or_every_two_seconds_and_not_more(owner: User):
    with watched_rows(25_000):
        export = queue_export(owner, "groups")
        queued.run_next()
    lines = list(ExportLog.objects.filter(export=export, event="progress").order_by("id"))
    assert len(lines) >= 3
    assert lines[-1].total_items == 25_000
    assert lines[-1].total_batches == 13
    for line in lines:
        expected = f"Batch {line.current_batch} of 13: {line.processed_items:,} of 25,000 rows."
        assert line.message == expected
    for before, after in pairwise(lines):
        tenths = after.processed_items // 2_500 - before.processed_items // 2_500
        assert tenths >= 1 or after.duration_ms - before.duration_ms >= 2_000


def test_log_has_the_singular_for_one_row(owner: User):
    AssetFactory()
    export = queue_export(owner)
    queued.run_next()
    (completed,) = ExportLog.objects.filter(export=export, event="completed")
    assert completed.message.startswith("1 row, ")
    failed = queue_export(owner)
    lifecycle.fail(claim_export(), NotPermitted("No."), 1)
    (line,) = ExportLog.objects.filter(export=failed, event="failed")
    assert line.message == "Failed after 1 row."


@pytest.mark.django_db(transaction=True)
def test_a_small_export_shows_progress_at_most_once(owner: User):
    AssetFactory.create_batch(5)
    export = queue_export(owner)
    queued.run_next()
    assert ExportLog.objects.filter(export=export, event="progress").count() <= 1


@pytest.mark.django_db(transaction=True)
def test_while_it_runs_the_row_says_how_far_it_is(owner: User):
    seen: list[Export] = []
    with watched_rows(8_000) as at_row:
        export = queue_export(owner, "groups")
        at_row[5_000] = lambda: seen.append(reload_export(export))
        queued.run_next()
    assert (seen[0].status, seen[0].exported_items, seen[0].progress_percent) == ("processing", 4_000, 50)
    assert seen[0].message == "Processing… (50% complete)"
    assert reload_export(export).progress_percent == 100


@pytest.mark.django_db(transaction=True)
def test_a_late_heartbeat_of_a_try_that_ended_changes_nothing(owner: User):
    export = queue_export(owner)
    claim = lifecycle.claim_due("me")
    assert claim is not None
    lifecycle.fail(claim, queued.UnexpectedFault("A fault."), 7)
    waiting = reload_export(export)
    with pytest.raises(FenceLost):
        lifecycle.beat(claim, 7)
    assert (reload_export(export).lease_until, reload_export(export).exported_items) == (waiting.lease_until, 0)


@pytest.mark.django_db
def test_a_try_may_not_start_before_its_lease_is_over(owner: User):
    export = queue_export(owner)
    lifecycle.claim_due("me")
    assert lifecycle.claim_due("another") is None
    update_export(export, lease_until=timezone.now() + LONG_AGO)
    assert lifecycle.claim_due("another") is None


@pytest.mark.django_db
def test_what_the_scheduler_looks_for_is_indexed():
    indexed = leading_columns(Export)
    assert {"expires_at", "status", "lease_until", "user_id"} <= indexed
    assert connection.vendor == "mysql" or "next_try_at" in leading_columns(EmailOutbox)
