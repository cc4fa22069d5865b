"""Front door: the log of all exports, for an auditor: is it as it was written; give it out; check what was given out.

Which attack is found by what is told in docs/verification.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from rowferry import __version__
from rowferry.exports.audit import daily_anchors, hash_chain
from rowferry.exports.audit.hash_chain import Finding, Head
from rowferry.exports.databases import append_only
from rowferry.exports.encoding.canonical_json import canonical
from rowferry.exports.errors import InvalidRequest, NotFound
from rowferry.exports.integrity import signing
from rowferry.exports.models import AuditAnchor, Export, ExportLog

VALUES = (*hash_chain.COLUMNS, "hash")
STEP = 200
"""Exports that are read at a time."""
SLACK = timedelta(days=1)
"""How late an anchor may be, in case no scheduler runs, before its absence is told."""
LOG_VERSION = 2
"""2: an event has `on_behalf_of_*` where it says something."""


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what is wrong with it."""

    chains: int = 0
    events: int = 0
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)


def public_keys() -> dict[str, Any]:
    """The keys that signatures of manifests are checked with, as a JSON Web Key Set."""
    return signing.public_keys()


def verify(export_id: str | None = None) -> Verdict:
    """Compare the log with its hashes, its heads and its anchors; of one export with its chain only. NotFound: no such
    export."""
    verdict = Verdict()
    verdict.findings += [
        Finding("guard", f"the database's trigger {name} is not there")
        for name in append_only.missing_triggers(connection)
    ]
    for keys in [[_key(export_id)]] if export_id else _keys():
        _verify_chains(keys, verdict)
    if not export_id:
        _verify_anchors(verdict)
    return verdict


def _key(export_id: str) -> UUID:
    try:
        return Export.objects.values_list("pk", flat=True).get(pk=UUID(export_id))
    except (Export.DoesNotExist, ValueError):
        raise NotFound("There is no export with this id.") from None


def _keys() -> Iterator[list[UUID]]:
    export_ids = Export.objects.order_by("pk").values_list("pk", flat=True)
    last: UUID | None = None
    while keys := list((export_ids if last is None else export_ids.filter(pk__gt=last))[:STEP]):
        yield keys
        last = keys[-1]


def _verify_chains(keys: list[UUID], verdict: Verdict) -> None:
    heads = _heads(keys)
    chains = {str(key): list(events) for key, events in _chains(keys)}
    for key in keys:
        events = chains.get(str(key), [])
        verdict.chains += 1
        verdict.events += len(events)
        if any(hash_chain.examine(str(key), events, heads[str(key)])):
            verdict.findings += _examine_locked(key)


def _heads(keys: list[UUID]) -> dict[str, Head]:
    rows = Export.objects.filter(pk__in=keys).values_list("pk", "log_sequence", "log_hash")
    return {str(key): Head(number, digest) for key, number, digest in rows}


def _chains(keys: list[UUID]) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    rows = ExportLog.objects.filter(export_id__in=keys).order_by("export_id", "sequence", "id").values(*VALUES)
    return groupby(map(hash_chain.event, rows), key=lambda record: str(record["export_id"]))


@transaction.atomic
def _examine_locked(key: UUID) -> list[Finding]:
    """Once more, while nobody can write: what looked wrong may have been written between two reads."""
    list(Export.objects.select_for_update().filter(pk=key).values("pk"))
    events = [record for _, group in _chains([key]) for record in group]
    return list(hash_chain.examine(str(key), events, _heads([key])[str(key)]))


def _verify_anchors(verdict: Verdict) -> None:
    anchors = [daily_anchors.anchor_as_json(anchor) for anchor in AuditAnchor.objects.order_by("day")]
    verdict.anchors += len(anchors)
    verdict.findings += _examine_anchors(
        anchors,
        lambda anchor: daily_anchors.compute_anchor(_day(anchor), anchor["previous_hash"]),
        first_previous_hash="",
    )
    verdict.findings += _find_unanchored_days([_day(anchor) for anchor in anchors])


def _day(anchor: dict[str, Any]) -> date:
    return date.fromisoformat(anchor["day"])


def _examine_anchors(
    anchors: list[dict[str, Any]],
    recompute: Callable[[dict[str, Any]], dict[str, Any]],
    first_previous_hash: str | None,
) -> Iterator[Finding]:
    """`recompute` makes the anchor anew from the events; `first_previous_hash` is what the first one has to follow."""
    previous_hash = first_previous_hash
    for anchor in anchors:
        if hash_chain.anchor_fingerprint(anchor) != anchor["hash"]:
            yield Finding("anchor", "the anchor does not have its hash: it was changed", day=anchor["day"])
        elif previous_hash is not None and anchor["previous_hash"] != previous_hash:
            yield Finding(
                "anchor", "it does not carry the hash of the anchor before: one is missing", day=anchor["day"]
            )
        expected = recompute(anchor)
        if [expected[name] for name in ("chains", "events", "heads_hash")] != [
            anchor[name] for name in ("chains", "events", "heads_hash")
        ]:
            yield Finding("anchor", _difference(anchor, expected), day=anchor["day"])
        previous_hash = anchor["hash"]


def _difference(anchored: dict[str, Any], current: dict[str, Any]) -> str:
    if (anchored["chains"], anchored["events"]) == (current["chains"], current["events"]):
        return f"its {anchored['events']} events are not those that were anchored"
    return (
        f"anchored were {anchored['events']} events of {anchored['chains']} exports; "
        f"there are {current['events']} of {current['chains']}"
    )


def _find_unanchored_days(days: list[date]) -> Iterator[Finding]:
    """Days that have events and should have an anchor."""
    last_due_day = (timezone.now() - daily_anchors.ANCHOR_GRACE - SLACK).astimezone(UTC).date()
    bounds = [None, *days, max([last_due_day, *days[-1:]])]
    for last, next_day in pairwise(bounds):
        first = last + timedelta(days=1) if last else None
        moment = (
            daily_anchors.events(first, next_day).order_by("created_at").values_list("created_at", flat=True).first()
        )
        if moment is not None:
            yield Finding("anchor", "the day has events and no anchor", day=moment.astimezone(UTC).date().isoformat())


def lines(date_from: str | None = None, date_to: str | None = None) -> Iterator[bytes]:
    """The log as NDJSON with its hashes: one header, the events export by export, the anchors, one end. Days (UTC) are
    inclusive. InvalidRequest: no such day."""
    first, last = _parse_day("--from", date_from), _parse_day("--to", date_to)
    stop = last + timedelta(days=1) if last and last != date.max else None
    counts = {"events": 0, "anchors": 0}
    bounds = {"from": date_from, "to": date_to, "exported_at": hash_chain.instant(timezone.now())}
    yield _line("log", {"log_version": LOG_VERSION, "program": f"Rowferry {__version__}", **bounds})
    rows = daily_anchors.events(first, stop).order_by("export_id", "sequence").values(*VALUES)
    for row in rows.iterator(chunk_size=2_000):
        counts["events"] += 1
        yield _line("event", hash_chain.event(row))
    for anchor in _anchors(first, last):
        counts["anchors"] += 1
        yield _line("anchor", daily_anchors.anchor_as_json(anchor))
    yield _line("end", counts)


def _anchors(first: date | None, last: date | None) -> Iterator[AuditAnchor]:
    queryset = AuditAnchor.objects.order_by("day")
    queryset = queryset.filter(day__gte=first) if first else queryset
    return (queryset.filter(day__lte=last) if last else queryset).iterator()


def _parse_day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRequest.field(option, "Must be a calendar day such as 2025-10-30.") from None


def _line(kind: str, values: dict[str, Any]) -> bytes:
    return canonical({"kind": kind, **values}) + b"\n"


def verify_lines(raw_lines: Iterable[bytes]) -> Verdict:
    """Check what `lines` gave out, by itself. InvalidRequest: it is no such file."""
    verdict = Verdict()
    reader = _LogReader(verdict)
    for record in map(_parse_line, raw_lines):
        reader.take(record)
    reader.end()
    return verdict


def _parse_line(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
        return {**record, "kind": str(record["kind"])}
    except (ValueError, KeyError, TypeError):
        raise InvalidRequest("The file is no log that `rowferry audit export` has written.") from None


class _LogReader:
    """A file of the log, line by line: one export's events and each day's heads are remembered."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._header: dict[str, Any] | None = None
        self._chain: list[dict[str, Any]] = []
        self._days: dict[str, list[tuple[str, Head]]] = {}
        self._anchor_records: list[dict[str, Any]] = []
        self._end: dict[str, Any] | None = None

    def take(self, record: dict[str, Any]) -> None:
        kind = record.pop("kind")
        try:
            {
                "log": self._set_header,
                "event": self._event,
                "anchor": self._anchor_records.append,
                "end": self._set_end,
            }[kind](record)
        except (KeyError, TypeError):
            raise InvalidRequest(f"The file has a line of the kind {kind!r} that is not whole.") from None

    def _set_header(self, record: dict[str, Any]) -> None:
        self._header = record

    def _set_end(self, record: dict[str, Any]) -> None:
        self._end = record

    def _event(self, record: dict[str, Any]) -> None:
        if self._chain and self._chain[0]["export_id"] != record["export_id"]:
            self._finish_chain()
        self.verdict.events += 1
        self._chain.append(record)
        self._days.setdefault(record["created_at"][:10], []).append(
            (record["export_id"], Head(record["sequence"], record["hash"]))
        )

    def _finish_chain(self) -> None:
        if not self._chain:
            return
        self.verdict.chains += 1
        export_id = self._chain[0]["export_id"]
        first = self._chain[0]["sequence"] if (self._header or {}).get("from") else 1
        self.verdict.findings += hash_chain.examine(export_id, self._chain, first=first)
        self._chain = []

    def end(self) -> None:
        if self._header is None:
            raise InvalidRequest("The file is no log that `rowferry audit export` has written.")
        self._finish_chain()
        self.verdict.anchors = len(self._anchor_records)
        first = None if self._header.get("from") else ""
        self.verdict.findings += _examine_anchors(
            self._anchor_records,
            lambda anchor: daily_anchors.create_anchor(anchor["day"], self._days.get(anchor["day"], []), ""),
            first,
        )
        counts = {"events": self.verdict.events, "anchors": self.verdict.anchors}
        if self._end != counts:
            self.verdict.findings.append(Finding("missing", f"the file ends with {self._end}, and holds {counts}"))
