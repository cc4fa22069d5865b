"""How a try ends: whole, failed, again later, cancelled, or abandoned by its worker."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from rowferry.exports import conf
from rowferry.exports.errors import FenceLost, Interrupted, Released, RowferryError
from rowferry.exports.lifecycle import counters
from rowferry.exports.lifecycle.claims import Claim, check_cancelled
from rowferry.exports.lifecycle.log_writer import (
    LogEntry,
    append,
    end_abandoned_attempts,
    end_attempt,
    format_error,
    lock_export,
    mail,
    record,
)
from rowferry.exports.models import Event, Export, MailKind, Mode, Status
from rowferry.exports.storage import StoredFile
from rowferry.exports.translation import count_of


@dataclass(frozen=True, slots=True)
class FileResult:
    """What is known once the file is whole."""

    file: StoredFile
    rows: int
    failed: int
    snapshot_at: datetime
    manifest: dict[str, Any]
    notes: tuple[tuple[str, str], ...] = ()
    """What its owner should know of the rows: (message, particulars), logged beside the completion."""
    publishing_ms: int = 0
    """How much of the try went into giving the whole file its name."""


@transaction.atomic
def complete(claim: Claim, result: FileResult, duration_ms: int) -> Export:
    """The one moment at which the file counts. FenceLost or Cancelled if it may not."""
    position = lock_export(claim.rows.filter(cancel_requested_at=None))
    if position is None:
        check_cancelled(claim)
        raise FenceLost("Another worker has taken this export over.")
    export = claim.export
    append(
        export,
        position,
        _entries(export, result, duration_ms),
        _counter_deltas(export, result, duration_ms),
        status=Status.COMPLETED,
        completed_at=position.now,
        expires_at=position.now + timedelta(days=conf.number("RETENTION_DAYS")),
        snapshot_at=result.snapshot_at,
        exported_items=result.rows,
        failed_items=result.failed,
        file_key=result.file.key,
        file_size=result.file.size,
        sha256=result.file.sha256,
        manifest=result.manifest,
        lease_until=None,
        error=None,
    )
    end_attempt(export, claim.fence, "completed", result.rows)
    mail(export, MailKind.COMPLETED)
    return export


def _entries(export: Export, result: FileResult, duration_ms: int) -> list[LogEntry]:
    note_entries = [
        LogEntry(Event.PROGRESS, message, processed_items=result.rows, error_message=details[:2000])
        for message, details in result.notes
    ]
    completion_entry = LogEntry(
        Event.COMPLETED,
        f"{count_of(result.rows, 'row')}, {count_of(result.file.size, 'byte')}, sha256:{result.file.sha256}.",
        processed_items=result.rows,
        total_items=export.total_items,
        duration_ms=duration_ms,
    )
    return [*note_entries, completion_entry]


def _counter_deltas(export: Export, result: FileResult, duration_ms: int) -> list[tuple[str, str, int]]:
    waiting_time = (export.started_at or export.created_at) - export.created_at
    phases = {
        "waiting": round(waiting_time.total_seconds() * 1000),
        "making": duration_ms - result.publishing_ms,
        "publishing": result.publishing_ms,
    }
    rows = [("rows", "written", result.rows), ("rows", "failed", result.failed)]
    return [
        *rows,
        ("bytes", "", result.file.size),
        *(("milliseconds", name, duration) for name, duration in phases.items()),
    ]


def fail(claim: Claim, error: RowferryError, rows: int) -> bool:
    """End a try that failed: again after the delay if that may help and tries are left, else for good. False: not
    ours."""
    export = claim.export
    will_retry = export.mode == Mode.QUEUED and error.retryable and export.attempt < export.max_attempts
    with transaction.atomic():
        ended = _wait_for_retry(claim, error, rows) if will_retry else _fail_for_good(export, error, rows, claim.rows)
        if ended:
            end_attempt(claim.export, claim.fence, error.code, rows)
    return ended


def release_leases(workers: Collection[str]) -> list[UUID]:
    """End the leases of workers (by name) that stop in order; the ids of what is due at once because of it.

    A stop is nobody's fault, so the try does not count: one more is granted.
    """
    return [export.pk for export in held_by(workers).filter(cancel_requested_at=None) if _hand_over(export)]


def held_by(workers: Collection[str]) -> QuerySet[Export]:
    """The queued exports whose leases these workers keep."""
    return Export.objects.filter(status=Status.PROCESSING, mode=Mode.QUEUED, worker__in=workers, lease_until__gt=Now())


@transaction.atomic
def _hand_over(export: Export) -> bool:
    claimed_row = Export.objects.filter(pk=export.pk, fence=export.fence, status=Status.PROCESSING)
    changes = {"lease_until": Now(), "worker": "", "wakeup_sent_at": None, "exported_items": 0}
    if not claimed_row.update(fence=F("fence") + 1, max_attempts=F("max_attempts") + 1, **changes):
        return False
    error = Released(f"{export.worker} was told to stop.")
    record(export, Event.RETRYING, "Its worker stops; another one starts over.", error_message=format_error(error))
    end_attempt(export, export.fence, error.code, export.exported_items)
    counters.count(export.resource, export.format, [("leases", "handed_over", 1)])
    return True


def _wait_for_retry(claim: Claim, error: RowferryError, rows: int) -> bool:
    delay = conf.seconds("RETRY_DELAY")
    export = claim.export
    changes = {"lease_until": Now() + delay, "worker": "", "wakeup_sent_at": None, "exported_items": 0}
    if not claim.rows.update(fence=F("fence") + 1, **changes):  # or a late heartbeat would change the delay
        return False
    message = (
        f"Try {export.attempt} of {export.max_attempts} failed; the next one in {delay.total_seconds():g} seconds."
    )
    record(export, Event.RETRYING, message, processed_items=rows, error_message=format_error(error))
    return True


def _fail_for_good(export: Export, error: RowferryError, rows: int, claimed_row: QuerySet[Export]) -> bool:
    if not claimed_row.update(status=Status.FAILED, completed_at=Now(), lease_until=None, error=error.as_json()):
        return False
    message = f"Failed after {count_of(rows, 'row')}." if rows else "Failed."
    record(
        export,
        Event.FAILED,
        message,
        processed_items=rows,
        total_items=export.total_items,
        error_message=format_error(error),
    )
    export.refresh_from_db()
    mail(export, MailKind.FAILED)
    return True


def fail_abandoned(export: Export) -> bool:
    """Fail an export whose lease is over and that nobody may try again: tries used up, or made in a request that
    died."""
    error = Interrupted(f"Its worker ended before the file was whole (tries: {export.attempt}).")
    claimed_row = Export.objects.filter(
        pk=export.pk, fence=export.fence, status=Status.PROCESSING, lease_until__lte=Now()
    )
    with transaction.atomic():
        end_abandoned_attempts(export)
        return _fail_for_good(export, error, export.exported_items, claimed_row)


def fail_unstarted(export: Export) -> bool:
    """Fail an export that a request wrote down and never began."""
    claimed_row = Export.objects.filter(pk=export.pk, status=Status.PENDING).exclude(mode=Mode.QUEUED)
    with transaction.atomic():
        return _fail_for_good(export, Interrupted("The request ended before the first row."), 0, claimed_row)


def mark_cancelled(claim: Claim, rows: int) -> bool:
    """End a try because its owner asked for it."""
    with transaction.atomic():
        if not claim.rows.update(status=Status.CANCELLED, completed_at=Now(), lease_until=None, exported_items=rows):
            return False
        message = f"Cancelled after {count_of(rows, 'row')}."
        record(claim.export, Event.CANCELLED, message, processed_items=rows, **_canceller(claim.export))
        end_attempt(claim.export, claim.fence, "cancelled", rows)
    return True


def mark_abandoned_cancelled(export: Export) -> bool:
    """End an export that its owner cancelled and whose worker has died since."""
    claimed_row = Export.objects.filter(
        pk=export.pk, fence=export.fence, status=Status.PROCESSING, lease_until__lte=Now()
    )
    with transaction.atomic():
        if not claimed_row.exclude(cancel_requested_at=None).update(
            status=Status.CANCELLED, completed_at=Now(), lease_until=None
        ):
            return False
        end_abandoned_attempts(export)
        record(export, Event.CANCELLED, "Cancelled; its worker had ended.", **_canceller(export))
    return True


def _canceller(export: Export) -> dict[str, Any]:
    """The columns of an event that say who asked for the end of an export."""
    return Export.objects.values_list("cancel_requested_by", flat=True).get(pk=export.pk) or {}
