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

VALUES = (*hash_chain.FIELDS, "hash")
STEP = 200
"""Exports that are read at a time."""
SLACK = timedelta(days=1)
"""How late an anchor may be, in case no scheduler runs, before its absence is told."""
LOG_VERSION = 1


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
    found = Export.objects.order_by("pk").values_list("pk", flat=True)
    last: UUID | None = None
    while keys := list((found if last is None else found.filter(pk__gt=last))[:STEP]):
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
            verdict.findings += _examined_alone(key)


def _heads(keys: list[UUID]) -> dict[str, Head]:
    rows = Export.objects.filter(pk__in=keys).values_list("pk", "log_sequence", "log_hash")
    return {str(key): Head(number, digest) for key, number, digest in rows}


def _chains(keys: list[UUID]) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    rows = ExportLog.objects.filter(export_id__in=keys).order_by("export_id", "sequence", "id").values(*VALUES)
    return groupby(map(hash_chain.event, rows), key=lambda one: str(one["export_id"]))


@transaction.atomic
def _examined_alone(key: UUID) -> list[Finding]:
    """Once more, while nobody can write: what looked wrong may have been written between two reads."""
    list(Export.objects.select_for_update().filter(pk=key).values("pk"))
    events = [one for _, group in _chains([key]) for one in group]
    return list(hash_chain.examine(str(key), events, _heads([key])[str(key)]))


def _verify_anchors(verdict: Verdict) -> None:
    said = [daily_anchors.plain(anchor) for anchor in AuditAnchor.objects.order_by("day")]
    verdict.anchors += len(said)
    verdict.findings += _examined_anchors(
        said, lambda one: daily_anchors.facts(_day(one), one["previous_hash"]), first=""
    )
    verdict.findings += _without_anchor([_day(one) for one in said])


def _day(anchor: dict[str, Any]) -> date:
    return date.fromisoformat(anchor["day"])


def _examined_anchors(
    said: list[dict[str, Any]], found: Callable[[dict[str, Any]], dict[str, Any]], first: str | None
) -> Iterator[Finding]:
    """`found` makes the anchor anew from the events; `first` is the hash that the first has to follow."""
    before = first
    for one in said:
        if hash_chain.anchor_fingerprint(one) != one["hash"]:
            yield Finding("anchor", "the anchor does not have its hash: it was changed", day=one["day"])
        elif before is not None and one["previous_hash"] != before:
            yield Finding("anchor", "it does not carry the hash of the anchor before: one is missing", day=one["day"])
        now = found(one)
        if [now[name] for name in ("chains", "events", "heads_hash")] != [
            one[name] for name in ("chains", "events", "heads_hash")
        ]:
            yield Finding("anchor", _difference(one, now), day=one["day"])
        before = one["hash"]


def _difference(said: dict[str, Any], now: dict[str, Any]) -> str:
    if (said["chains"], said["events"]) == (now["chains"], now["events"]):
        return f"its {said['events']} events are not those that were anchored"
    return (
        f"anchored were {said['events']} events of {said['chains']} exports; "
        f"there are {now['events']} of {now['chains']}"
    )


def _without_anchor(days: list[date]) -> Iterator[Finding]:
    """Days that have events and should have an anchor."""
    over = (timezone.now() - daily_anchors.ANCHOR_GRACE - SLACK).astimezone(UTC).date()
    bounds = [None, *days, max([over, *days[-1:]])]
    for last, following in pairwise(bounds):
        first = last + timedelta(days=1) if last else None
        moment = (
            daily_anchors.events(first, following).order_by("created_at").values_list("created_at", flat=True).first()
        )
        if moment is not None:
            yield Finding("anchor", "the day has events and no anchor", day=moment.astimezone(UTC).date().isoformat())


def lines(date_from: str | None = None, date_to: str | None = None) -> Iterator[bytes]:
    """The log as NDJSON with its hashes: one header, the events export by export, the anchors, one end. Days (UTC) are
    inclusive. InvalidRequest: no such day."""
    first, last = _parse_day("--from", date_from), _parse_day("--to", date_to)
    stop = last + timedelta(days=1) if last else None
    counts = {"events": 0, "anchors": 0}
    bounds = {"from": date_from, "to": date_to, "exported_at": hash_chain.instant(timezone.now())}
    yield _line("log", {"log_version": LOG_VERSION, "program": f"Rowferry {__version__}", **bounds})
    rows = daily_anchors.events(first, stop).order_by("export_id", "sequence").values(*VALUES)
    for row in rows.iterator(chunk_size=2_000):
        counts["events"] += 1
        yield _line("event", hash_chain.event(row))
    for anchor in _anchors(first, last):
        counts["anchors"] += 1
        yield _line("anchor", daily_anchors.plain(anchor))
    yield _line("end", counts)


def _anchors(first: date | None, last: date | None) -> Iterator[AuditAnchor]:
    found = AuditAnchor.objects.order_by("day")
    found = found.filter(day__gte=first) if first else found
    return (found.filter(day__lte=last) if last else found).iterator()


def _parse_day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRequest.field(option, "Must be a calendar day such as 2025-10-30.") from None


def _line(kind: str, said: dict[str, Any]) -> bytes:
    return canonical({"kind": kind, **said}) + b"\n"


def verify_lines(given: Iterable[bytes]) -> Verdict:
    """Check what `lines` gave out, by itself. InvalidRequest: it is no such file."""
    verdict = Verdict()
    reading = _Reading(verdict)
    for one in map(_parse_line, given):
        reading.take(one)
    reading.end()
    return verdict


def _parse_line(line: bytes) -> dict[str, Any]:
    try:
        one = json.loads(line)
        return {**one, "kind": str(one["kind"])}
    except (ValueError, KeyError, TypeError):
        raise InvalidRequest("The file is no log that `rowferry audit export` has written.") from None


class _Reading:
    """A file of the log, line by line: one export's events and each day's heads are remembered."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._header: dict[str, Any] | None = None
        self._chain: list[dict[str, Any]] = []
        self._days: dict[str, list[tuple[str, Head]]] = {}
        self._said: list[dict[str, Any]] = []
        self._end: dict[str, Any] | None = None

    def take(self, one: dict[str, Any]) -> None:
        kind = one.pop("kind")
        try:
            {"log": self._begin, "event": self._event, "anchor": self._said.append, "end": self._finish}[kind](one)
        except (KeyError, TypeError):
            raise InvalidRequest(f"The file has a line of the kind {kind!r} that is not whole.") from None

    def _begin(self, one: dict[str, Any]) -> None:
        self._header = one

    def _finish(self, one: dict[str, Any]) -> None:
        self._end = one

    def _event(self, one: dict[str, Any]) -> None:
        if self._chain and self._chain[0]["export_id"] != one["export_id"]:
            self._close()
        self.verdict.events += 1
        self._chain.append(one)
        self._days.setdefault(one["created_at"][:10], []).append((one["export_id"], Head(one["sequence"], one["hash"])))

    def _close(self) -> None:
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
        self._close()
        self.verdict.anchors = len(self._said)
        first = None if self._header.get("from") else ""
        self.verdict.findings += _examined_anchors(
            self._said, lambda one: daily_anchors.create_anchor(one["day"], self._days.get(one["day"], []), ""), first
        )
        counted = {"events": self.verdict.events, "anchors": self.verdict.anchors}
        if self._end != counted:
            self.verdict.findings.append(Finding("missing", f"the file ends with {self._end}, and holds {counted}"))
