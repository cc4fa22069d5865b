"""Taking an export to work on it, and showing that the work goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from rowferry.exports import conf
from rowferry.exports.errors import Cancelled, FenceLost
from rowferry.exports.lifecycle.log_writer import LogEntry, append, apply_changes, end_abandoned_attempts, lock_export
from rowferry.exports.models import Attempt, Event, Export, Mode, Status
from rowferry.exports.translation import count_of

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


def claim_due(worker: str) -> Claim | None:
    """Take the queued export whose turn it is: of the person with the fewest at work, then of whoever was served
    longest ago. None = nothing to do."""
    for _ in range(5):
        export = _next_due()
        if export is None:
            return None
        claim = _claim(export, worker, conf.seconds("LEASE"))
        if claim is not None:
            return claim
    return None


def due() -> QuerySet[Export]:
    """The queued exports that a worker may take now."""
    return Export.objects.filter(DUE, mode=Mode.QUEUED, attempt__lt=F("max_attempts"), cancel_requested_at=None)


def _next_due() -> Export | None:
    running_count = (
        Export.objects.filter(user_id=OuterRef("user_id"), status=Status.PROCESSING, lease_until__gt=Now())
        .exclude(worker="")
        .order_by()
        .values("user_id")
        .annotate(count=Count("pk"))
        .values("count")
    )
    last_started = (
        Export.objects.filter(user_id=OuterRef("user_id"), mode=Mode.QUEUED, started_at__isnull=False)
        .order_by("-created_at", "-id")
        .values("started_at")[:1]
    )
    candidates = due().alias(
        at_work=Coalesce(Subquery(running_count), 0), since=Coalesce(Subquery(last_started), F("created_at"))
    )
    return candidates.order_by("at_work", "since", "created_at", "id").first()


def _claim(export: Export, worker: str, lease: timedelta) -> Claim | None:
    with transaction.atomic():
        due_row = Export.objects.filter(DUE, pk=export.pk, fence=export.fence, cancel_requested_at=None)
        position = lock_export(due_row)
        if position is None:
            return None
        export.refresh_from_db()
        changes: dict[str, Any] = {"fence": export.fence + 1, "attempt": export.attempt + 1, "worker": worker[:200]}
        changes |= {"started_at": export.started_at or position.now, "lease_until": position.now + lease}
        changes |= {"status": Status.PROCESSING, "exported_items": 0, "failed_items": 0}
        apply_changes(export, changes)
        if export.attempt > 1:
            end_abandoned_attempts(export)
        append(export, position, [start_entry(export)], **changes)
        open_attempt(export, position.now)
    return Claim(export, export.fence, lease)


def start_entry(export: Export) -> LogEntry:
    """What the log says of a try that begins."""
    attempt_note = f" (try {export.attempt} of {export.max_attempts})" if export.attempt > 1 else ""
    return LogEntry(Event.PROCESSING, f"Started by {export.worker}{attempt_note}.", total_items=export.total_items)


def open_attempt(export: Export, now: datetime) -> None:
    """Open the book on a try."""
    Attempt.objects.create(
        export=export, number=export.attempt, fence=export.fence, worker=export.worker, started_at=now
    )


def beat(claim: Claim, rows: int) -> None:
    """Keep the lease and show how far we are. FenceLost: another worker has it. Cancelled: its owner wants it to
    end."""
    claimed_row = claim.rows.filter(cancel_requested_at=None)
    if not claimed_row.update(lease_until=Now() + claim.lease, exported_items=rows):
        check_cancelled(claim)
        raise FenceLost("Another worker has taken this export over.")


def check_cancelled(claim: Claim) -> None:
    """Cancelled, if the owner has asked for it."""
    if Export.objects.filter(pk=claim.export.pk).exclude(cancel_requested_at=None).exists():
        raise Cancelled("Its owner cancelled the export.")


def expect(claim: Claim, total: int) -> None:
    """Say how many rows the snapshot of this try holds: what was known before may be an estimate, or out of date."""
    export = claim.export
    if export.total_items == total and not export.total_is_estimate:
        return
    if not claim.rows.update(total_items=total, total_is_estimate=False):
        raise FenceLost("Another worker has taken this export over.")
    export.total_items, export.total_is_estimate = total, False


def progress(claim: Claim, rows: int, *, batch: int, batches: int, duration_ms: int) -> None:
    """Log how far we are, and show it in the row."""
    with transaction.atomic():
        position = lock_export(claim.rows)
        if position is None:
            raise FenceLost("Another worker has taken this export over.")
        total = claim.export.total_items
        entry = LogEntry(
            Event.PROGRESS,
            f"Batch {batch:,} of {batches:,}: {rows:,} of {count_of(total, 'row')}.",
            processed_items=rows,
            total_items=total,
            current_batch=batch,
            total_batches=batches,
            duration_ms=duration_ms,
        )
        append(claim.export, position, [entry], exported_items=rows)
