"""What happens to an order before and after the work: made, cancelled, expired, deleted, downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from rowferry.exports import conf
from rowferry.exports.errors import Conflict
from rowferry.exports.lifecycle.claims import Claim, open_attempt, start_entry
from rowferry.exports.lifecycle.log_writer import (
    LogEntry,
    LogPosition,
    apply_changes,
    chain_entries,
    end_abandoned_attempts,
    head_values,
    insert,
    record,
    start_position,
)
from rowferry.exports.models import Event, Export, Status
from rowferry.exports.resources.actor import Actor, event_values

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PROCESSING, Status.FAILED, Status.CANCELLED}),
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
    Status.COMPLETED: frozenset({Status.EXPIRED, Status.DELETED}),
    Status.FAILED: frozenset({Status.DELETED}),
    Status.CANCELLED: frozenset({Status.DELETED}),
    Status.EXPIRED: frozenset({Status.DELETED}),
    Status.DELETED: frozenset(),
}


@transaction.atomic(savepoint=False)
def create(export: Export, actor: Actor) -> Export:
    """Insert a pending export and its first log line."""
    position = start_position()
    _insert(export, position, [initiation_entry(export, actor)])
    return export


@transaction.atomic(savepoint=False)
def begin(export: Export, actor: Actor, worker: str) -> Claim:
    """Insert an export that the request itself makes, begun already: nobody else can come to take it. Its lease is the
    time limit; nobody else will try it."""
    position, lease = start_position(), conf.seconds("TIME_LIMIT")
    changes = {"fence": 1, "attempt": 1, "started_at": position.now, "lease_until": position.now + lease}
    apply_changes(export, {"status": Status.PROCESSING, "worker": worker[:200], **changes})
    _insert(export, position, [initiation_entry(export, actor), start_entry(export)])
    open_attempt(export, position.now)
    return Claim(export, export.fence, lease)


def _insert(export: Export, position: LogPosition, entries: Sequence[LogEntry]) -> None:
    export.created_at = position.now
    export.max_attempts = conf.number("MAX_ATTEMPTS")
    rows = chain_entries(export, position, entries)
    apply_changes(export, head_values(rows))
    export.save(force_insert=True)
    insert(export, rows)


def initiation_entry(export: Export, actor: Actor) -> LogEntry:
    """The first line of every log."""
    message = f"Export of {export.resource} as {export.format}: {export.mode}, because {export.reason}."
    return LogEntry(Event.INITIATED, message, actor=actor, processed_items=0, total_items=export.total_items)


def request_cancel(export: Export, actor: Actor) -> None:
    """Cancel at once what nobody works on; ask a running worker to stop at its next batch. Conflict if it has ended."""
    with transaction.atomic():
        not_running = Export.objects.filter(
            Q(status=Status.PENDING)
            | Q(status=Status.PROCESSING, lease_until__lte=Now())
            | Q(status=Status.PROCESSING, worker=""),
            pk=export.pk,
        )
        if not_running.update(status=Status.CANCELLED, completed_at=Now(), cancel_requested_at=Now(), lease_until=None):
            end_abandoned_attempts(export)
            record(export, Event.CANCELLED, "Cancelled before its file was made.", actor=actor)
            return
        running = Export.objects.filter(pk=export.pk, status=Status.PROCESSING, cancel_requested_at=None)
        if running.update(cancel_requested_at=Now(), cancel_requested_by=event_values(actor)):
            return
    export.refresh_from_db()
    if export.status != Status.PROCESSING:
        raise Conflict(f"The export is {export.status}: only one that waits or runs can be cancelled.")


def expire(export: Export) -> bool:
    """Completed → expired. The file goes afterwards."""
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, status=Status.COMPLETED).update(status=Status.EXPIRED):
            return False
        record(export, Event.EXPIRED, "The file's time was over; it was removed.")
    return True


def delete(export: Export, actor: Actor | None, message: str = "The file was deleted.") -> bool:
    """Any ended export → deleted. The file goes afterwards. False: it has not ended, or is deleted already."""
    ended_statuses = [status for status, targets in MOVES.items() if Status.DELETED in targets]
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, status__in=ended_statuses).update(status=Status.DELETED):
            return False
        record(export, Event.DELETED, message, actor=actor)
    return True


def record_download(export: Export, actor: Actor, message: str) -> None:
    """Count and log one download."""
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).update(download_count=F("download_count") + 1)
        record(export, Event.DOWNLOADED, message, actor=actor)
