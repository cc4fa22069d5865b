"""The only place where an export changes its state: one conditional UPDATE and its log line in one transaction.

A worker holds a `Claim`: an export and the fence that was raised for it. Whatever a claim does says `WHERE fence =
mine`, so a worker that was taken for dead can change nothing. A try that failed keeps the state `processing`; its
lease just ends when the next try is due. Times are the database's clock.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from rowferry.exports import conf
from rowferry.exports.errors import Cancelled, Conflict, FenceLost, Interrupted, RowferryError
from rowferry.exports.models import Attempt, EmailOutbox, Event, Export, ExportLog, MailKind, Mode, Status
from rowferry.exports.resource import Person
from rowferry.exports.storage import StoredFile

logger = logging.getLogger(__name__)

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PROCESSING, Status.FAILED, Status.CANCELLED}),
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
    Status.COMPLETED: frozenset({Status.EXPIRED, Status.DELETED}),
    Status.FAILED: frozenset({Status.DELETED}),
    Status.CANCELLED: frozenset({Status.DELETED}),
    Status.EXPIRED: frozenset({Status.DELETED}),
    Status.DELETED: frozenset(),
}

DUE = Q(status=Status.PENDING) | Q(status=Status.PROCESSING, lease_until__lte=Now())
"""What a worker may take (of the queued exports)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One try of one export: all that a worker may act with."""

    export: Export
    fence: int
    lease: timedelta

    @property
    def rows(self) -> QuerySet[Export]:
        """The row, as long as it is ours."""
        return Export.objects.filter(pk=self.export.pk, fence=self.fence, status=Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known once the file is whole."""

    file: StoredFile
    rows: int
    failed: int
    snapshot_at: datetime
    manifest: dict[str, Any]
    notes: tuple[tuple[str, str], ...] = ()
    """What its owner should know of the rows: (message, particulars), logged beside the completion."""


def record(export: Export, event: Event, message: str, *, actor: Person = None, **facts: Any) -> None:
    """Append one line to an export's log, with who did it (by default nobody: the program itself)."""
    ExportLog.objects.create(
        export=export,
        event=event,
        message=message[:500],
        actor_id=str(actor.pk) if actor else "",
        actor_name=actor.get_username() if actor else "",
        actor_email=actor.email if actor else "",
        created_at=Now(),
        **facts,
    )


@transaction.atomic
def create(export: Export, actor: Person) -> Export:
    """Insert a pending export and its first log line."""
    export.created_at = Now()
    export.max_attempts = conf.number("MAX_ATTEMPTS")
    export.save(force_insert=True)
    message = f"Export of {export.resource} as {export.format}: {export.mode}, because {export.mode_reason}."
    record(export, Event.INITIATED, message, actor=actor, total_items=export.total_items)
    export.refresh_from_db(fields=["created_at"])
    return export


def claim_in_request(export: Export, worker: str) -> Claim:
    """Take an export that the request itself makes. Its lease is the time limit; nobody else will try it."""
    claim = _claim(export, Q(status=Status.PENDING), worker, conf.seconds("TIME_LIMIT"))
    if claim is None:
        raise FenceLost("The export was taken away before its first row.")
    return claim


def claim_due(worker: str) -> Claim | None:
    """Take the queued export whose turn it is: of the person with the fewest at work, then of whoever was served
    longest ago. None = nothing to do."""
    for _ in range(5):
        export = _next_due()
        if export is None:
            return None
        claim = _claim(export, DUE, worker, conf.seconds("LEASE"))
        if claim is not None:
            return claim
    return None


def due() -> QuerySet[Export]:
    """The queued exports that a worker may take now."""
    return Export.objects.filter(DUE, mode=Mode.QUEUED, attempt__lt=F("max_attempts"), cancel_requested_at=None)


def _next_due() -> Export | None:
    at_work = (
        Export.objects.filter(user_id=OuterRef("user_id"), status=Status.PROCESSING, lease_until__gt=Now())
        .exclude(worker="")
        .order_by()
        .values("user_id")
        .annotate(count=Count("pk"))
        .values("count")
    )
    served = (
        Export.objects.filter(user_id=OuterRef("user_id"), mode=Mode.QUEUED, started_at__isnull=False)
        .order_by("-created_at", "-id")
        .values("started_at")[:1]
    )
    waiting = due().alias(at_work=Coalesce(Subquery(at_work), 0), since=Coalesce(Subquery(served), F("created_at")))
    return waiting.order_by("at_work", "since", "created_at", "id").first()


def _claim(export: Export, condition: Q, worker: str, lease: timedelta) -> Claim | None:
    with transaction.atomic():
        taken = Export.objects.filter(condition, pk=export.pk, fence=export.fence, cancel_requested_at=None).update(
            status=Status.PROCESSING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            lease_until=Now() + lease,
            started_at=Coalesce(F("started_at"), Now()),
            worker=worker[:200],
            exported_items=0,
            failed_items=0,
        )
        if not taken:
            return None
        export.refresh_from_db()
        _end_abandoned_attempts(export)
        Attempt.objects.create(
            export=export, number=export.attempt, fence=export.fence, worker=worker[:200], started_at=Now()
        )
        again = f" (try {export.attempt} of {export.max_attempts})" if export.attempt > 1 else ""
        record(export, Event.PROCESSING, f"Started by {worker}{again}.", total_items=export.total_items)
    return Claim(export, export.fence, lease)


def beat(claim: Claim, rows: int) -> None:
    """Keep the lease and show how far we are. FenceLost: another worker has it. Cancelled: its owner wants it to
    end."""
    if not claim.rows.update(lease_until=Now() + claim.lease, exported_items=rows):
        raise FenceLost("Another worker has taken this export over.")
    check_cancelled(claim)


def check_cancelled(claim: Claim) -> None:
    """Cancelled, if the owner has asked for it."""
    if Export.objects.filter(pk=claim.export.pk).exclude(cancel_requested_at=None).exists():
        raise Cancelled("Its owner cancelled the export.")


def progress(claim: Claim, rows: int, *, batch: int, batches: int, duration_ms: int) -> None:
    """Log how far we are, and show it in the row."""
    with transaction.atomic():
        if not claim.rows.update(exported_items=rows):
            raise FenceLost("Another worker has taken this export over.")
        total = claim.export.total_items
        record(
            claim.export,
            Event.PROGRESS,
            f"{rows:,} of {total:,} rows.",
            processed_items=rows,
            total_items=total,
            current_batch=batch,
            total_batches=batches,
            duration_ms=duration_ms,
        )


@transaction.atomic
def complete(claim: Claim, facts: Facts, duration_ms: int) -> Export:
    """The one moment at which the file counts. FenceLost or Cancelled if it may not."""
    changed = claim.rows.filter(cancel_requested_at=None).update(
        status=Status.COMPLETED,
        completed_at=Now(),
        expires_at=Now() + timedelta(days=conf.number("RETENTION_DAYS")),
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
    if not changed:
        check_cancelled(claim)
        raise FenceLost("Another worker has taken this export over.")
    export = claim.export
    export.refresh_from_db()
    for message, particulars in facts.notes:
        record(export, Event.PROGRESS, message, processed_items=facts.rows, error_message=particulars[:2000])
    record(
        export,
        Event.COMPLETED,
        f"{facts.rows:,} rows, {facts.file.size:,} bytes, sha256:{facts.file.sha256}.",
        processed_items=facts.rows,
        total_items=export.total_items,
        duration_ms=duration_ms,
    )
    _end_attempt(claim, "completed", facts.rows)
    _mail(export, MailKind.COMPLETED)
    return export


def fail(claim: Claim, error: RowferryError, rows: int) -> bool:
    """End a try that failed: again after the delay if that may help and tries are left, else for good. False: not
    ours."""
    export = claim.export
    again = export.mode == Mode.QUEUED and error.retryable and export.attempt < export.max_attempts
    with transaction.atomic():
        moved = _wait_for_retry(claim, error, rows) if again else _fail_for_good(export, error, rows, claim.rows)
        if moved:
            _end_attempt(claim, error.code, rows)
    return moved


def _wait_for_retry(claim: Claim, error: RowferryError, rows: int) -> bool:
    delay = conf.seconds("RETRY_DELAY")
    export = claim.export
    waiting = {"lease_until": Now() + delay, "worker": "", "rung_at": None, "exported_items": 0}
    if not claim.rows.update(fence=F("fence") + 1, **waiting):  # or a late heartbeat would change the delay
        return False
    message = (
        f"Try {export.attempt} of {export.max_attempts} failed; the next one in {delay.total_seconds():g} seconds."
    )
    record(export, Event.RETRYING, message, processed_items=rows, error_message=_words(error))
    return True


def _fail_for_good(export: Export, error: RowferryError, rows: int, ours: QuerySet[Export]) -> bool:
    if not ours.update(status=Status.FAILED, completed_at=Now(), lease_until=None, error=error.as_json()):
        return False
    message = f"Failed after {rows:,} rows." if rows else "Failed."
    record(
        export, Event.FAILED, message, processed_items=rows, total_items=export.total_items, error_message=_words(error)
    )
    export.refresh_from_db()
    _mail(export, MailKind.FAILED)
    return True


def fail_abandoned(export: Export) -> bool:
    """Fail an export whose lease is over and that nobody may try again: tries used up, or made in a request that
    died."""
    error = Interrupted(f"Its worker ended before the file was whole (tries: {export.attempt}).")
    ours = Export.objects.filter(pk=export.pk, fence=export.fence, status=Status.PROCESSING, lease_until__lte=Now())
    with transaction.atomic():
        _end_abandoned_attempts(export)
        return _fail_for_good(export, error, export.exported_items, ours)


def fail_unstarted(export: Export) -> bool:
    """Fail an export that a request wrote down and never began."""
    ours = Export.objects.filter(pk=export.pk, status=Status.PENDING).exclude(mode=Mode.QUEUED)
    with transaction.atomic():
        return _fail_for_good(export, Interrupted("The request ended before the first row."), 0, ours)


def request_cancel(export: Export, actor: Person) -> None:
    """Cancel at once what nobody works on; ask a running worker to stop at its next batch. Conflict if it has ended."""
    with transaction.atomic():
        waiting = Export.objects.filter(
            Q(status=Status.PENDING)
            | Q(status=Status.PROCESSING, lease_until__lte=Now())
            | Q(status=Status.PROCESSING, worker=""),
            pk=export.pk,
        )
        if waiting.update(status=Status.CANCELLED, completed_at=Now(), cancel_requested_at=Now(), lease_until=None):
            record(export, Event.CANCELLED, "Cancelled before its file was made.", actor=actor)
            return
        asked = Export.objects.filter(pk=export.pk, status=Status.PROCESSING, cancel_requested_at=None)
        if asked.update(cancel_requested_at=Now()):
            return
    export.refresh_from_db()
    if export.status != Status.PROCESSING:
        raise Conflict(f"The export is {export.status}: only one that waits or runs can be cancelled.")


def mark_cancelled(claim: Claim, rows: int) -> bool:
    """End a try because its owner asked for it."""
    with transaction.atomic():
        if not claim.rows.update(status=Status.CANCELLED, completed_at=Now(), lease_until=None, exported_items=rows):
            return False
        record(claim.export, Event.CANCELLED, f"Cancelled after {rows:,} rows.", processed_items=rows)
        _end_attempt(claim, "cancelled", rows)
    return True


def mark_abandoned_cancelled(export: Export) -> bool:
    """End an export that its owner cancelled and whose worker has died since."""
    ours = Export.objects.filter(pk=export.pk, fence=export.fence, status=Status.PROCESSING, lease_until__lte=Now())
    with transaction.atomic():
        if not ours.exclude(cancel_requested_at=None).update(
            status=Status.CANCELLED, completed_at=Now(), lease_until=None
        ):
            return False
        _end_abandoned_attempts(export)
        record(export, Event.CANCELLED, "Cancelled; its worker had ended.")
    return True


def expire(export: Export) -> bool:
    """Completed → expired. The file goes afterwards."""
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, status=Status.COMPLETED).update(status=Status.EXPIRED):
            return False
        record(export, Event.EXPIRED, "The file's time was over; it was removed.")
    return True


def delete(export: Export, actor: Person, message: str = "The file was deleted.") -> bool:
    """Any ended export → deleted. The file goes afterwards. False: it has not ended, or is deleted already."""
    ended = [status for status, moves in MOVES.items() if Status.DELETED in moves]
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, status__in=ended).update(status=Status.DELETED):
            return False
        record(export, Event.DELETED, message, actor=actor)
    return True


def downloaded(export: Export, actor: Person, message: str) -> None:
    """Count and log one download."""
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).update(download_count=F("download_count") + 1)
        record(export, Event.DOWNLOADED, message, actor=actor)


def _end_attempt(claim: Claim, outcome: str, rows: int) -> None:
    Attempt.objects.filter(export=claim.export, fence=claim.fence).update(ended_at=Now(), outcome=outcome, rows=rows)


def _end_abandoned_attempts(export: Export) -> None:
    """A try whose worker died could not say so itself."""
    Attempt.objects.filter(export=export, ended_at=None).update(ended_at=Now(), outcome=Interrupted.code)


def _mail(export: Export, kind: MailKind) -> None:
    """Put a mail into the outbox, once, if its owner wants any and has an address."""
    if export.notify and export.user_email:
        EmailOutbox.objects.get_or_create(
            export=export,
            kind=kind,
            defaults={"recipient": export.user_email, "created_at": Now(), "next_try_at": Now()},
        )


def _words(error: RowferryError) -> str:
    return f"{error.code}: {error.detail}"[:2000]
