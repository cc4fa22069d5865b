"""What every move writes beside itself: its lines in the log, and the mail that it makes due.

Each statement costs a way to the server and back, and an export of a few rows consists of little else. So a row is
changed, and tells of its last line, in one UPDATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Coalesce, Now

from rowferry.exports.audit import hash_chain
from rowferry.exports.errors import FenceLost, Interrupted, RowferryError
from rowferry.exports.lifecycle import counters
from rowferry.exports.models import Attempt, EmailOutbox, Event, Export, ExportLog, Leader, MailKind
from rowferry.exports.resources.actor import Actor, event_values


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where the next line of a log goes: behind that of this number and hash, at this moment of the database's
    clock. `rows` = the export, as long as it is what it was when it was locked."""

    rows: QuerySet[Export]
    sequence: int
    hash: str
    now: datetime


class LogEntry:
    """One line to be: what happened, who did it (by default nobody: the program itself), and facts by column."""

    def __init__(self, event: Event, message: str, *, actor: Actor | None = None, **fields: Any) -> None:
        self.event, self.message, self.actor, self.fields = event, message[:500], actor, fields


@transaction.atomic(savepoint=False)
def record(export: Export, event: Event, message: str, *, actor: Actor | None = None, **fields: Any) -> None:
    """Append one line to an export's log."""
    position = lock_export(Export.objects.filter(pk=export.pk))
    if position is None:
        raise Export.DoesNotExist
    append(export, position, [LogEntry(event, message, actor=actor, **fields)])


def lock_export(rows: QuerySet[Export]) -> LogPosition | None:
    """Lock the one export among `rows` until the transaction ends; None: it is not among them (any more).

    The lock is what keeps two lines from following the same one. Where the database knows no locks of rows, the second
    of them meets the constraint on an export's numbers.
    """
    no_key = connection.features.has_select_for_no_key_update
    locked_rows = rows.select_for_update(no_key=no_key).values_list("log_sequence", "log_hash", Now())
    return next((LogPosition(rows, *values) for values in locked_rows), None)


def start_position() -> LogPosition:
    """Where the log of an export begins that is yet to be inserted."""
    now = Leader.objects.aggregate(now=Coalesce(Max(Now()), Now()))["now"]
    return LogPosition(Export.objects.none(), 0, "", now)


def append(
    export: Export,
    position: LogPosition,
    entries: Sequence[LogEntry],
    extra_counts: Iterable[tuple[str, str, int]] = (),
    **changes: Any,
) -> None:
    """Change the locked row, and append lines to its log; add their events, and `extra_counts`, to the totals.
    The export itself has the changes then, but for those that only the database can tell. FenceLost: the row is not
    what it was, which can only be where the database knows no locks of rows."""
    rows = chain_entries(export, position, entries)
    changes |= head_values(rows)
    if not position.rows.update(**changes):
        raise FenceLost("The export was changed by another process.")
    apply_changes(export, changes)
    insert(export, rows, extra_counts)


def chain_entries(export: Export, position: LogPosition, entries: Sequence[LogEntry]) -> list[ExportLog]:
    """The lines as rows, each holding on to the one before it."""
    rows: list[ExportLog] = []
    for number, entry in enumerate(entries, position.sequence + 1):
        rows.append(_row(export, position.now, entry, number, rows[-1].hash if rows else position.hash))
    return rows


def head_values(rows: Sequence[ExportLog]) -> dict[str, Any]:
    """What the export's row says of the last of these lines."""
    return {"log_sequence": rows[-1].sequence, "log_hash": rows[-1].hash}


def apply_changes(export: Export, changes: Mapping[str, Any]) -> None:
    """Give an export in memory the values that its row was given."""
    for name, value in changes.items():
        if not hasattr(value, "resolve_expression"):
            setattr(export, name, value)


def insert(export: Export, rows: Sequence[ExportLog], extra_counts: Iterable[tuple[str, str, int]] = ()) -> None:
    """Write lines, and count their events."""
    for row in rows:  # one by one, for whoever listens to Django's signal of each
        row.save(force_insert=True)
    events = [("events", row.event, 1) for row in rows if row.event != Event.PROGRESS]
    counters.count(export.resource, export.format, [*events, *extra_counts])


def _row(export: Export, now: datetime, entry: LogEntry, number: int, previous_hash: str) -> ExportLog:
    row = ExportLog(
        export=export,
        event=entry.event.value,
        message=entry.message,
        created_at=now,
        sequence=number,
        previous_hash=previous_hash,
        **event_values(entry.actor),
        **entry.fields,
    )
    row.hash = hash_chain.fingerprint(hash_chain.event({name: getattr(row, name) for name in hash_chain.COLUMNS}))
    return row


def mail(export: Export, kind: MailKind) -> None:
    """Put a mail into the outbox, once, if its owner wants any and has an address."""
    if export.will_be_mailed:
        EmailOutbox.objects.get_or_create(
            export=export,
            kind=kind,
            defaults={"recipient": export.user_email, "created_at": Now(), "next_try_at": Now()},
        )


def format_error(error: RowferryError) -> str:
    return f"{error.code}: {error.detail}"[:2000]


def end_attempt(export: Export, fence: int, outcome: str, rows: int) -> None:
    """Close the book on one try."""
    Attempt.objects.filter(export=export, fence=fence).update(ended_at=Now(), outcome=outcome, rows=rows)


def end_abandoned_attempts(export: Export) -> None:
    """A try whose worker died could not say so itself."""
    lost_count = Attempt.objects.filter(export=export, ended_at=None).update(ended_at=Now(), outcome=Interrupted.code)
    counters.count(export.resource, export.format, [("leases", "lost", lost_count)])
