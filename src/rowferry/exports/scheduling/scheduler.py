"""What has to happen without anybody asking: ring again, take back, retry, send mail, expire, tidy. One leader acts
at a time.

It needs no broker: a bell that does not ring is rung again at the next sweep.
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

RING_AGAIN = timedelta(seconds=10)
RINGS = 30
ORPHAN_AGE = 600
"""Seconds that a file without a row may lie there, in case its row is about to be committed."""
MOST = 200
"""Rows of one kind that one sweep handles: the next sweep comes soon."""


def ring_due() -> int:
    """Ring for what is due and was not rung for lately: a lost message, a dead worker, a retry whose time has come.

    Any bell serves whatever is due, so a long queue needs no more than RINGS of them at a time.
    """
    lately = Q(wakeup_sent_at__gt=Now() - RING_AGAIN)
    room = max(0, RINGS - lifecycle.due().filter(lately).count())
    waiting = lifecycle.due().exclude(lately).order_by("created_at")
    rung = 0
    for export_id in list(waiting.values_list("pk", flat=True)[:room]):
        if not tasks.notify_workers(str(export_id)):
            break
        Export.objects.filter(pk=export_id).update(wakeup_sent_at=Now())
        rung += 1
    return rung


def end_abandoned() -> int:
    """End what has lost its worker and may not be tried again."""
    over = Export.objects.filter(status=Status.PROCESSING, lease_until__lte=Now())
    cancelled = over.exclude(cancel_requested_at=None)[:MOST]
    used_up = over.filter(Q(attempt__gte=F("max_attempts")) | ~Q(mode=Mode.QUEUED), cancel_requested_at=None)[:MOST]
    ended = sum(lifecycle.mark_abandoned_cancelled(export) for export in cancelled)
    return ended + sum(lifecycle.fail_abandoned(export) for export in used_up)


def end_unstarted() -> int:
    """Fail what a request of an older version wrote down but never began, because its process died between the two."""
    stale = Now() - conf.seconds("TIME_LIMIT")
    lost = Export.objects.filter(status=Status.PENDING, created_at__lte=stale).exclude(mode=Mode.QUEUED)[:MOST]
    return sum(lifecycle.fail_unstarted(export) for export in lost)


def remind() -> int:
    """Put a reminder into the outbox some days before a file goes, if its owner wanted mail."""
    days = conf.number("REMINDER_DAYS")
    if not 0 < days < conf.number("RETENTION_DAYS"):
        return 0
    soon = Export.objects.filter(
        status=Status.COMPLETED,
        notify=True,
        reminded_at=None,
        expires_at__lte=Now() + timedelta(days=days),
    ).exclude(user_email="")
    return sum(_remind(export) for export in soon[:MOST])


def _remind(export: Export) -> bool:
    with transaction.atomic():
        if not Export.objects.filter(pk=export.pk, reminded_at=None).update(reminded_at=Now()):
            return False
        lifecycle.mail(export, MailKind.REMINDER)
    return True


def expire() -> int:
    """Row first, then file: a crash between the two leaves an orphan, never a promise without a file."""
    over = Export.objects.filter(status=Status.COMPLETED, expires_at__lte=Now()).order_by("expires_at")
    return sum(_expire(export) for export in over[:MOST])


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
        if not _is_wanted(key):
            logger.info("Removing %s: no export needs it.", key)
            storage().delete(key)
            removed += 1
    return removed


def _is_wanted(key: str) -> bool:
    name = key.removesuffix(PART_SUFFIX).removesuffix(MANIFEST_SUFFIX)
    identifier, _, rest = name.partition(".")
    fence = rest.partition(".")[0]
    try:
        export = Export.objects.get(pk=UUID(identifier))
    except (Export.DoesNotExist, ValueError):
        return False
    if export.status == Status.PROCESSING:
        return fence == str(export.fence)
    return export.status == Status.COMPLETED and export.file_key == name and not key.endswith(PART_SUFFIX)


OFTEN: tuple[Callable[[], object], ...] = (end_abandoned, ring_due, notifications.send_due, expire, counters.aggregate)
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
    mine = Leader.objects.filter(Q(holder=holder) | Q(lease_until__lte=Now()), role=SCHEDULER_ROLE)
    if mine.update(holder=holder, lease_until=Now() + lease):
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


def run(stopped: Callable[[float], bool]) -> None:
    """Tick until `stopped(seconds to wait)` says so."""
    holder = worker_name()
    seldom_at = 0.0
    while True:
        try:
            if lead(holder):
                run_duties(OFTEN)
                if time.monotonic() >= seldom_at:
                    seldom_at = time.monotonic() + SELDOM_EVERY
                    run_duties(SELDOM)
        except Error:
            logger.exception("The scheduler does not reach the database; it tries again.")
        close_old_connections()
        if stopped(conf.seconds("SCHEDULER_INTERVAL").total_seconds()):
            break
    resign(holder)
