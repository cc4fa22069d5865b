"""What holds at every moment of an export's life, whoever dies when."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from rowferry.exports import lifecycle, tracking
from rowferry.exports.errors import Gone
from rowferry.exports.lifecycle import MOVES, Claim
from rowferry.exports.models import Attempt, EmailOutbox, Event, Export, MailKind, Status
from rowferry.exports.scheduling import scheduler
from rowferry.filesystem_broker.folder import Claim as Consumer
from rowferry.filesystem_broker.folder import QueueFolder
from tests.factories.exports import list_files

GRAIN = timedelta(milliseconds=2)
"""SQLite's clock counts milliseconds."""
STATE_AFTER = {
    Event.INITIATED: Status.PENDING,
    Event.PROCESSING: Status.PROCESSING,
    Event.RETRYING: Status.PROCESSING,
    Event.COMPLETED: Status.COMPLETED,
    Event.FAILED: Status.FAILED,
    Event.CANCELLED: Status.CANCELLED,
    Event.EXPIRED: Status.EXPIRED,
    Event.DELETED: Status.DELETED,
}
"""What the log says of the state; its other lines say nothing of it."""


def check_export(export: Export, folder: Path, claims: Iterable[Claim]) -> None:
    """The promises about one row, its file, its log, its tries and its mails."""
    events = [Event(line) for line in export.log.values_list("event", flat=True)]
    check_log(export, events)
    check_file(export, folder)
    check_mails(export, events)
    check_attempts(export)
    mine = [claim for claim in claims if claim.export.pk == export.pk]
    alive = [claim for claim in mine if claim.fence == export.fence and export.status == Status.PROCESSING]
    assert len(alive) <= 1, "Two workers may act."
    assert len({claim.fence for claim in mine}) == len(mine), "Two claims have the same fence."


def check_log(export: Export, events: list[Event]) -> None:
    """Every move has its line, no line tells of a move that there is not, and no state is left that nobody leaves."""
    states = [STATE_AFTER[event] for event in events if event in STATE_AFTER]
    assert states[0] == Status.PENDING
    assert states[-1] == export.status, "The log tells of another state than the row."
    for before, after in pairwise(states):
        assert after in MOVES[before] or before == after == Status.PROCESSING, f"{before} became {after}."
    assert not {Status.CANCELLED, Status.COMPLETED} <= set(states), "Cancelled and completed."
    assert events.count(Event.COMPLETED) <= 1


def check_file(export: Export, folder: Path) -> None:
    """Completed: the file is there, and is what the row says. Without ever having been completed: no key."""
    if export.status == Status.COMPLETED:
        data = (folder / export.file_key).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (export.file_size, export.sha256)
        assert export.cancel_requested_at is None, "A cancelled export was completed."
    if export.status in (Status.PENDING, Status.PROCESSING, Status.FAILED, Status.CANCELLED):
        assert export.file_key == ""


def check_mails(export: Export, events: list[Event]) -> None:
    """One mail of a kind, written with the event that it tells of."""
    mails = Counter(EmailOutbox.objects.filter(export=export).values_list("kind", flat=True))
    for kind, event in ((MailKind.COMPLETED, Event.COMPLETED), (MailKind.FAILED, Event.FAILED)):
        assert mails[kind] == (export.notify and events.count(event)), f"{mails} after {events}"
    assert events.count(Event.NOTIFIED) <= sum(mails.values())


def check_attempts(export: Export) -> None:
    """No more tries than allowed, each in the books, and none open but the one that may act."""
    assert export.attempt <= export.max_attempts
    tries = list(Attempt.objects.filter(export=export).order_by("number"))
    assert [one.number for one in tries] == list(range(1, export.attempt + 1))
    still_open = [one.fence for one in tries if one.ended_at is None]
    assert still_open in ([], [export.fence] if export.status == Status.PROCESSING else []), "A try was never closed."


def check_lease(export: Export, before: tuple[int, datetime | None] | None) -> None:
    """Within a fence a lease only grows; a fence never falls."""
    fence, lease = before or (0, None)
    assert export.fence >= fence
    if export.fence == fence and lease and export.lease_until:
        assert export.lease_until >= lease - GRAIN, "A lease became shorter."


def check_file_keys(exports: Iterable[Export]) -> None:
    """A key belongs to one row, and to one of its fences."""
    named = [export for export in exports if export.file_key]
    assert len({export.file_key for export in named}) == len(named)
    for export in named:
        assert export.file_key == f"{export.pk}.{export.fence}.csv"


def after_a_round(owner: User, folder: Path) -> None:
    """A wake-up message has been sent for what is due; what has expired is gone, and says so."""
    lately = timezone.now() - scheduler.NOTIFY_INTERVAL
    assert all(export.wakeup_sent_at and export.wakeup_sent_at >= lately for export in lifecycle.due())
    for export in Export.objects.filter(status=Status.EXPIRED):
        assert not (folder / export.file_key).exists()
        with pytest.raises(Gone):
            tracking.open_file(owner, export.pk)


def check_at_rest(folder: Path, broker_folder: QueueFolder) -> None:
    """Every export has ended, and nothing is left but files that a row speaks of."""
    assert not Export.objects.filter(status__in=(Status.PENDING, Status.PROCESSING)).exists()
    assert not Attempt.objects.filter(ended_at=None).exists()
    assert not EmailOutbox.objects.filter(sent_at=None).exists()
    keys = Export.objects.filter(status=Status.COMPLETED).values_list("file_key", flat=True)
    assert list_files(folder) == sorted(name for key in keys for name in (key, f"{key}.manifest.json"))
    consumer = Consumer(broker_folder)
    for name, _ in consumer.take():
        consumer.finish(name)
    consumer.close()
    assert [
        name for part in (broker_folder.waiting, broker_folder.taken, broker_folder.drafts) for name in list_files(part)
    ] == []
