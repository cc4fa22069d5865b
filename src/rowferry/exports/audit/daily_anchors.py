"""The daily anchor: one hash over how far each chain of the log had come that moved on that day, chained to the day
before. Days are UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Min, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from rowferry.exports.audit import hash_chain
from rowferry.exports.audit.hash_chain import Head
from rowferry.exports.models import AuditAnchor, ExportLog

ANCHOR_GRACE = timedelta(hours=1)
"""After midnight, before a day counts as over: what was begun before then has ended by then."""
MAX_DAYS = 31
"""Days of one round."""


def write_due() -> int:
    """Write the anchors of the days that are over and have none yet; how many."""
    last = AuditAnchor.objects.order_by("-day").first()
    count = 0
    while count < MAX_DAYS and (day := _next_day(last)) is not None:
        last = _write(day, last)
        count += 1
    return count


def midnight(day: date) -> datetime:
    """The instant at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def events(first: date | None = None, after: date | None = None) -> QuerySet[ExportLog]:
    """The events of the days from `first` up to, and without, `after`."""
    queryset = ExportLog.objects.all()
    if first is not None:
        queryset = queryset.filter(created_at__gte=midnight(first))
    if after is not None:
        queryset = queryset.filter(created_at__lt=midnight(after))
    return queryset


def compute_anchor(day: date, previous_hash: str) -> dict[str, Any]:
    """The anchor that a day has to have, as plain JSON with its hash, by what is in the log now."""
    rows = events(day, day + timedelta(days=1)).order_by().values_list("export_id", "sequence", "hash")
    return create_anchor(
        day.isoformat(), ((str(key), Head(number, digest)) for key, number, digest in rows), previous_hash
    )


def create_anchor(day: str, chain_heads: Iterable[tuple[str, Head]], previous_hash: str) -> dict[str, Any]:
    """The anchor of a day on which chains moved to these heads, in any order."""
    heads: dict[str, Head] = {}
    count = 0
    for export_id, head in chain_heads:
        count += 1
        if export_id not in heads or heads[export_id].sequence < head.sequence:
            heads[export_id] = head
    fields = {"day": day, "chains": len(heads), "events": count, "heads_hash": hash_chain.heads_hash(heads)}
    anchor = {**fields, "previous_hash": previous_hash}
    return {**anchor, "hash": hash_chain.anchor_fingerprint(anchor)}


def anchor_as_json(anchor: AuditAnchor) -> dict[str, Any]:
    """An anchor as plain JSON."""
    return {name: getattr(anchor, name) for name in (*hash_chain.ANCHORED, "hash")} | {"day": anchor.day.isoformat()}


def _next_day(last: AuditAnchor | None) -> date | None:
    """The next day with events, if it is over."""
    later_events = events(last.day + timedelta(days=1) if last else None).order_by()
    first_moment = later_events.aggregate(moment=Min("created_at"))["moment"]
    if first_moment is None:
        return None
    day: date = first_moment.astimezone(UTC).date()
    return day if midnight(day) + timedelta(days=1) + ANCHOR_GRACE <= timezone.now() else None


def _write(day: date, last: AuditAnchor | None) -> AuditAnchor:
    values = compute_anchor(day, last.hash if last else "") | {"created_at": Now()}
    del values["day"]
    return AuditAnchor.objects.get_or_create(day=day, defaults=values)[0]
