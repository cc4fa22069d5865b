"""What has to happen without anybody asking: notify again, take back, retry, send mail, expire, tidy. One leader
acts at a time.

It needs no broker: a wake-up message that is lost is sent again in a later round.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import Error, IntegrityError, close_old_connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from rowferry.exports import conf, lifecycle, tasks
from rowferry.exports.audit import daily_anchors
from rowferry.exports.execution.queued import worker_name
from rowferry.exports.integrity import manifest
from rowferry.exports.lifecycle import counters
from rowferry.exports.limits import idempotency
from rowferry.exports.models import Export, Leader, MailKind, Mode, Status
from rowferry.exports.persistent_names import MANIFEST_SUFFIX, PART_SUFFIX, SCHEDULER_ROLE
from rowferry.exports.scheduling import notifications
from rowferry.exports.storage import storage

logger = logging.getLogger(__name__)

NOTIFY_INTERVAL = timedelta(seconds=10)
"""Time after which a wake-up message for the same export is sent again."""
MAX_NOTIFIED = 30
"""Exports that have a recent wake-up message at the same time, at most."""
ORPHAN_AGE = 600
"""Seconds that a file without a row may lie there, in case its row is about to be committed."""
MOST = 200
"""Rows of one kind that one round handles: the next round comes soon."""


def notify_due() -> int:
    """Send wake-up messages for due exports without a recent one: a lost message, a dead worker, a retry.

    A worker takes whatever is due, so a long queue needs no more than MAX_NOTIFIED messages at a time.
    """
    lately = Q(wakeup_sent_at__gt=Now() - NOTIFY_INTERVAL)
    room = max(0, MAX_NOTIFIED - lifecycle.due().filter(lately).count())
    waiting = lifecycle.due().exclude(lately).order_by("created_at")
    notified = 0
    for export_id in list(waiting.values_list("pk", flat=True)[:room]):
        if not tasks.notify_workers(str(export_id)):
            break
        Export.objects.filter(pk=export_id).update(wakeup_sent_at=Now())
        notified += 1
    return notified


def end_abandoned() -> int:
    """End what has lost its worker and may not be tried again."""
    overdue = Export.objects.filter(status=Status.PROCESSING, lease_until__lte=Now())
    cancelled = overdue.exclude(cancel_requested_at=None)[:MOST]
    exhausted = overdue.filter(Q(attempt__gte=F("max_attempts")) | ~Q(mode=Mode.QUEUED), cancel_requested_at=None)[
        :MOST
    ]
    ended = sum(lifecycle.mark_abandoned_cancelled(export) for export in cancelled)
    return ended + sum(lifecycle.fail_abandoned(export) for export in exhausted)


def end_unstarted() -> int:
    """Fail what a request of an older version wrote down but never began, because its process died between the two."""
    cutoff = Now() - conf.seconds("TIME_LIMIT")
    unstarted = Export.objects.filter(status=Status.PENDING, created_at__lte=cutoff).exclude(mode=Mode.QUEUED)[:MOST]
    return sum(lifecycle.fail_unstarted(export) for export in unstarted)


def remind() -> int:
    """Put a reminder into the outbox some days before a file goes, if its owner wanted mail."""
    days = conf.number("REMINDER_DAYS")
    if not 0 < days < conf.number("RETENTION_DAYS"):
        return 0
    expiring_soon = Export.objects.filter(
        status=Status.COMPLETED,
        notify=True,
        reminded_at=None,
        expires_at__lte=Now() + timedelta(days=days),
    ).exclude(user_email="")
    return sum(_remind(export) for export in expiring_soon[:MOST])


def _remind(export: Export) -> bool:
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, reminded_at=None).update(reminded_at=Now()):
            return False
        lifecycle.mail(export, MailKind.REMINDER)
    return True


def expire() -> int:
    """Row first, then file: a crash between the two leaves an orphan, never a promise without a file."""
    expired = Export.objects.filter(status=Status.COMPLETED, expires_at__lte=Now()).order_by("expires_at")
    return sum(_expire(export) for export in expired[:MOST])


def _expire(export: Export) -> bool:
    if not lifecycle.expire(export):
        return False
    manifest.remove(storage(), export.file_key)
    return True


def tidy(older_than: float = ORPHAN_AGE) -> int:
    """Remove files that no row speaks of: parts of attempts that ended, files that were never committed or are over.

    `older_than` in seconds since the last write.
    """
    removed = 0
    for key in list(storage().keys(time.time() - older_than)):
        if not _is_needed(key):
            logger.info("Removing %s: no export needs it.", key)
            storage().delete(key)
            removed += 1
    return removed


def _is_needed(key: str) -> bool:
    name = key.removesuffix(PART_SUFFIX).removesuffix(MANIFEST_SUFFIX)
    identifier, _, remainder = name.partition(".")
    fence = remainder.partition(".")[0]
    try:
        export = Export.objects.get(pk=UUID(identifier))
    except (Export.DoesNotExist, ValueError):
        return False
    if export.status == Status.PROCESSING:
        return fence == str(export.fence)
    return export.status == Status.COMPLETED and export.file_key == name and not key.endswith(PART_SUFFIX)


OFTEN: tuple[Callable[[], object], ...] = (
    end_abandoned,
    notify_due,
    notifications.send_due,
    expire,
    counters.aggregate,
)
SELDOM: tuple[Callable[[], object], ...] = (end_unstarted, remind, tidy, idempotency.tidy, daily_anchors.write_due)
SELDOM_EVERY = 60
"""Seconds."""


def run_duties(duties: tuple[Callable[[], object], ...] = OFTEN + SELDOM) -> None:
    """Do each duty once. One that fails is logged and does not keep the others from their turn."""
    for duty in duties:
        try:
            duty()
        except Exception:
            logger.exception("The scheduler's duty %s failed; it comes again.", duty.__name__)


def lead(holder: str) -> bool:
    """Whether this process is the one to act: it takes the lead, or keeps it, by one conditional UPDATE."""
    lease = conf.lead()
    leader_row = Leader.objects.filter(Q(holder=holder) | Q(lease_until__lte=Now()), role=SCHEDULER_ROLE)
    if leader_row.update(holder=holder, lease_until=Now() + lease):
        return True
    try:
        with transaction.atomic():
            Leader.objects.create(role=SCHEDULER_ROLE, holder=holder, lease_until=timezone.now() + lease)
    except IntegrityError:
        return False
    return True


def resign(holder: str) -> None:
    """Let the next one lead at once."""
    Leader.objects.filter(role=SCHEDULER_ROLE, holder=holder).delete()


def run(should_stop: Callable[[float], bool]) -> None:
    """Do rounds until `stopped(seconds to wait)` says so."""
    holder = worker_name()
    next_slow_run = 0.0
    while True:
        try:
            if lead(holder):
                run_duties(OFTEN)
                if time.monotonic() >= next_slow_run:
                    next_slow_run = time.monotonic() + SELDOM_EVERY
                    run_duties(SELDOM)
        except Error:
            logger.exception("The scheduler does not reach the database; it tries again.")
        close_old_connections()
        if should_stop(conf.seconds("SCHEDULER_INTERVAL").total_seconds()):
            break
    resign(holder)
