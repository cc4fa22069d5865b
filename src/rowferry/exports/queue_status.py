"""Front door: what those who wait want to know: the place in the queue, the time left, whether anybody works."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from rowferry.exports.lifecycle import due
from rowferry.exports.models import Export, Mode, Status

STALLED = timedelta(seconds=15)
"""A worker that lives takes what is due within a few seconds."""
MAX_POSITION = 1_000
"""Places of the queue that are told."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """`place` = about which number it is in the queue, from 1; `left` = seconds, about; None = not known."""

    place: int | None = None
    left: int | None = None


def queue_statuses(exports: Iterable[Export]) -> dict[UUID, QueueStatus]:
    """How it stands with each of these that waits or runs; at most one query.

    The place is by age; whoever has fewer exports at work may be served before.
    """
    active = [export for export in exports if export.status in (Status.PENDING, Status.PROCESSING)]
    waiting = [export.pk for export in active if export.status == Status.PENDING and export.mode == Mode.QUEUED]
    places = _queue_positions() if waiting else {}
    now = timezone.now()
    return {export.pk: QueueStatus(places.get(export.pk), seconds_left(export, now)) for export in active}


def seconds_left(export: Export, now: datetime) -> int | None:
    """By the pace of its first try so far; None before its first rows, and for later tries."""
    processed = export.exported_items + export.failed_items
    if export.status != Status.PROCESSING or not processed or export.started_at is None or export.attempt != 1:
        return None
    elapsed = (now - export.started_at).total_seconds()
    return max(1, math.ceil(elapsed * max(0, export.total_items - processed) / processed))


def workers_stalled() -> bool:
    """Whether a queued export has been due for STALLED, and no worker holds another."""
    threshold = Now() - STALLED
    overdue = Q(status=Status.PENDING, created_at__lte=threshold) | Q(
        status=Status.PROCESSING, lease_until__lte=threshold
    )
    if not due().filter(overdue).exists():
        return False
    leased = Export.objects.filter(status=Status.PROCESSING, mode=Mode.QUEUED, lease_until__gt=Now()).exclude(worker="")
    return not leased.exists()


def _queue_positions() -> dict[UUID, int]:
    waiting = Export.objects.filter(status=Status.PENDING, mode=Mode.QUEUED).order_by("created_at", "id")
    return {key: position for position, key in enumerate(waiting.values_list("pk", flat=True)[:MAX_POSITION], 1)}
