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
def complete(claim: Claim, facts: FileResult, duration_ms: int) -> Export:
    """The one moment at which the file counts. FenceLost or Cancelled if it may not."""
    place = lock_export(claim.rows.filter(cancel_requested_at=None))
    if place is None:
        check_cancelled(claim)
        raise FenceLost("Another worker has taken this export over.")
    export = claim.export
    append(
        export,
        place,
        _lines(export, facts, duration_ms),
        _counter_deltas(export, facts, duration_ms),
        status=Status.COMPLETED,
        completed_at=place.now,
        expires_at=place.now + timedelta(days=conf.number("RETENTION_DAYS")),
        snapshot_at=facts.snapshot_at,
        exported_items=facts.rows,
        failed_items=facts.failed,
        file_key=facts.file.key,
        file_size=facts.file.size,
        sha256=facts.file.sha256,
        manifest=facts.manifest,
        lease_until=None,
        error=None,
    )
    end_attempt(export, claim.fence, "completed", facts.rows)
    mail(export, MailKind.COMPLETED)
    return export


def _lines(export: Export, facts: FileResult, duration_ms: int) -> list[LogEntry]:
    said = [
        LogEntry(Event.PROGRESS, message, processed_items=facts.rows, error_message=particulars[:2000])
        for message, particulars in facts.notes
    ]
    done = LogEntry(
        Event.COMPLETED,
        f"{facts.rows:,} rows, {facts.file.size:,} bytes, sha256:{facts.file.sha256}.",
        processed_items=facts.rows,
        total_items=export.total_items,
        duration_ms=duration_ms,
    )
    return [*said, done]


def _counter_deltas(export: Export, facts: FileResult, duration_ms: int) -> list[tuple[str, str, int]]:
    waited = (export.started_at or export.created_at) - export.created_at
    phases = {
        "waiting": round(waited.total_seconds() * 1000),
        "making": duration_ms - facts.publishing_ms,
        "publishing": facts.publishing_ms,
    }
    rows = [("rows", "written", facts.rows), ("rows", "failed", facts.failed)]
    return [*rows, ("bytes", "", facts.file.size), *(("milliseconds", name, spent) for name, spent in phases.items())]


def fail(claim: Claim, error: RowferryError, rows: int) -> bool:
    """End a try that failed: again after the delay if that may help and tries are left, else for good. False: not
    ours."""
    export = claim.export
    again = export.mode == Mode.QUEUED and error.retryable and export.attempt < export.max_attempts
    with transaction.atomic():
        moved = _wait_for_retry(claim, error, rows) if again else _fail_for_good(export, error, rows, claim.rows)
        if moved:
            end_attempt(claim.export, claim.fence, error.code, rows)
    return moved


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
    ours = Export.objects.filter(pk=export.pk, fence=export.fence, status=Status.PROCESSING)
    freed = {"lease_until": Now(), "worker": "", "wakeup_sent_at": None, "exported_items": 0}
    if not ours.update(fence=F("fence") + 1, max_attempts=F("max_attempts") + 1, **freed):
        return False
    error = Released(f"{export.worker} was told to stop.")
    record(export, Event.RETRYING, "Its worker stops; another one starts over.", error_message=format_error(error))
    end_attempt(export, export.fence, error.code, export.exported_items)
    counters.count(export.resource, export.format, [("leases", "handed_over", 1)])
    return True


def _wait_for_retry(claim: Claim, error: RowferryError, rows: int) -> bool:
    delay = conf.seconds("RETRY_DELAY")
    export = claim.export
    waiting = {"lease_until": Now() + delay, "worker": "", "wakeup_sent_at": None, "exported_items": 0}
    if not claim.rows.update(fence=F("fence") + 1, **waiting):  # or a late heartbeat would change the delay
        return False
    message = (
        f"Try {export.attempt} of {export.max_attempts} failed; the next one in {delay.total_seconds():g} seconds."
    )
    record(export, Event.RETRYING, message, processed_items=rows, error_message=format_error(error))
    return True


def _fail_for_good(export: Export, error: RowferryError, rows: int, ours: QuerySet[Export]) -> bool:
    if not ours.update(status=Status.FAILED, completed_at=Now(), lease_until=None, error=error.as_json()):
        return False
    message = f"Failed after {rows:,} rows." if rows else "Failed."
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
    ours = Export.objects.filter(pk=export.pk, fence=export.fence, status=Status.PROCESSING, lease_until__lte=Now())
    with transaction.atomic():
        end_abandoned_attempts(export)
        return _fail_for_good(export, error, export.exported_items, ours)


def fail_unstarted(export: Export) -> bool:
    """Fail an export that a request wrote down and never began."""
    ours = Export.objects.filter(pk=export.pk, status=Status.PENDING).exclude(mode=Mode.QUEUED)
    with transaction.atomic():
        return _fail_for_good(export, Interrupted("The request ended before the first row."), 0, ours)


def mark_cancelled(claim: Claim, rows: int) -> bool:
    """End a try because its owner asked for it."""
    with transaction.atomic():
        if not claim.rows.update(status=Status.CANCELLED, completed_at=Now(), lease_until=None, exported_items=rows):
            return False
        record(claim.export, Event.CANCELLED, f"Cancelled after {rows:,} rows.", processed_items=rows)
        end_attempt(claim.export, claim.fence, "cancelled", rows)
    return True


def mark_abandoned_cancelled(export: Export) -> bool:
    """End an export that its owner cancelled and whose worker has died since."""
    ours = Export.objects.filter(pk=export.pk, fence=export.fence, status=Status.PROCESSING, lease_until__lte=Now())
    with transaction.atomic():
        if not ours.exclude(cancel_requested_at=None).update(
            status=Status.CANCELLED, completed_at=Now(), lease_until=None
        ):
            return False
        end_abandoned_attempts(export)
        record(export, Event.CANCELLED, "Cancelled; its worker had ended.")
    return True
