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
MOST = 31
"""Days of one sweep."""


def write_due() -> int:
    """Write the anchors of the days that are over and have none yet; how many."""
    last = AuditAnchor.objects.order_by("-day").first()
    written = 0
    while written < MOST and (day := _next_day(last)) is not None:
        last = _write(day, last)
        written += 1
    return written


def midnight(day: date) -> datetime:
    """The instant at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def events(first: date | None = None, after: date | None = None) -> QuerySet[ExportLog]:
    """The events of the days from `first` up to, and without, `after`."""
    found = ExportLog.objects.all()
    if first is not None:
        found = found.filter(created_at__gte=midnight(first))
    if after is not None:
        found = found.filter(created_at__lt=midnight(after))
    return found


def facts(day: date, previous_hash: str) -> dict[str, Any]:
    """The anchor that a day has to have, as plain JSON with its hash, by what is in the log now."""
    rows = events(day, day + timedelta(days=1)).order_by().values_list("export_id", "sequence", "hash")
    return create_anchor(
        day.isoformat(), ((str(key), Head(number, digest)) for key, number, digest in rows), previous_hash
    )


def create_anchor(day: str, moves: Iterable[tuple[str, Head]], previous_hash: str) -> dict[str, Any]:
    """The anchor of a day on which chains moved to these heads, in any order."""
    heads: dict[str, Head] = {}
    count = 0
    for export_id, head in moves:
        count += 1
        if export_id not in heads or heads[export_id].sequence < head.sequence:
            heads[export_id] = head
    said = {"day": day, "chains": len(heads), "events": count, "heads_hash": hash_chain.heads_hash(heads)}
    whole = {**said, "previous_hash": previous_hash}
    return {**whole, "hash": hash_chain.anchor_fingerprint(whole)}


def plain(anchor: AuditAnchor) -> dict[str, Any]:
    """An anchor as plain JSON."""
    return {name: getattr(anchor, name) for name in (*hash_chain.ANCHORED, "hash")} | {"day": anchor.day.isoformat()}


def _next_day(last: AuditAnchor | None) -> date | None:
    """The next day with events, if it is over."""
    since = events(last.day + timedelta(days=1) if last else None).order_by()
    moment = since.aggregate(moment=Min("created_at"))["moment"]
    if moment is None:
        return None
    day: date = moment.astimezone(UTC).date()
    return day if midnight(day) + timedelta(days=1) + ANCHOR_GRACE <= timezone.now() else None


def _write(day: date, last: AuditAnchor | None) -> AuditAnchor:
    values = facts(day, last.hash if last else "") | {"created_at": Now()}
    del values["day"]
    return AuditAnchor.objects.get_or_create(day=day, defaults=values)[0]
