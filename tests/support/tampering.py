"""What somebody may do to the log who can write to the database."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rowferry.exports import lifecycle
from rowferry.exports.audit import hash_chain, log
from rowferry.exports.databases import append_only
from rowferry.exports.models import Event, Export, ExportLog
from tests.factories.exports import queue_export

CONTENT = ("message", "event", "actor_name", "error_message", "processed_items", "created_at", "previous_hash", "hash")

Found = set[tuple[str, str, int]]


def create_log_chain(person: Any, events: int) -> Export:
    """An export whose chain has so many events."""
    export = queue_export(person)
    with transaction.atomic():
        for number in range(events - 1):
            lifecycle.record(export, Event.PROGRESS, f"{number} rows.", actor=person, processed_items=number)
    return export


@contextmanager
def unlock_events(export: Export) -> Iterator[dict[int, ExportLog]]:
    """The events by number, to be tampered with; afterwards all is as it was."""
    kept = list(ExportLog.objects.filter(export=export).order_by("sequence"))
    head = {"log_sequence": len(kept), "log_hash": kept[-1].hash}
    with append_only.triggers_disabled(connection):
        try:
            yield {line.sequence: line for line in ExportLog.objects.filter(export=export)}
        finally:
            ExportLog.objects.filter(export=export)._raw_delete("default")
            ExportLog.objects.bulk_create(kept)
            Export.objects.filter(pk=export.pk).update(**head)


def change(line: ExportLog, **values: Any) -> None:
    ExportLog.objects.filter(pk=line.pk).update(**values)


def remove(*lines: ExportLog) -> None:
    ExportLog.objects.filter(pk__in=[line.pk for line in lines])._raw_delete("default")


def swap(one: ExportLog, other: ExportLog) -> None:
    """Each stands where the other stood."""
    change(one, sequence=10_000)
    change(other, sequence=one.sequence)
    change(one, sequence=other.sequence)


def rehash(line: ExportLog) -> str:
    """Give an event the hash that its content has to have now, as somebody would who knows how."""
    row = ExportLog.objects.filter(pk=line.pk).values(*hash_chain.FIELDS).get()
    made = hash_chain.fingerprint(hash_chain.event(row))
    change(line, hash=made)
    return made


def find_tampering(export_id: UUID | None = None) -> Found:
    """What the audit finds, and where: (export, what, number)."""
    findings = log.verify(str(export_id) if export_id else None).findings
    return {
        (one.export_id, one.what, one.sequence + more)
        for one in findings
        if one.sequence is not None
        for more in range(one.count)
    }


def tamper_at_random(chance: random.Random, lines: dict[int, ExportLog]) -> set[tuple[str, int]]:
    """Do one thing at random; returns what has to be found, and where."""
    act: Callable[..., set[tuple[str, int]]] = chance.choice((_change, _remove, _swap))
    return act(chance, lines)


def _change(chance: random.Random, lines: dict[int, ExportLog]) -> set[tuple[str, int]]:
    line, name = chance.choice(list(lines.values())), chance.choice(CONTENT)
    change(line, **{name: _other(chance, getattr(line, name))})
    return {("changed", line.sequence)}


def _other(chance: random.Random, old: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(old, datetime):
        return old - timedelta(microseconds=chance.randint(1, 10**15))
    return f"{old}!"[-16:] if isinstance(old, str) else (old or 0) + chance.randint(1, 99)


def _remove(chance: random.Random, lines: dict[int, ExportLog]) -> set[tuple[str, int]]:
    gone = chance.sample(sorted(lines), chance.randint(1, 4))
    remove(*(lines[number] for number in gone))
    return {("missing", number) for number in gone}


def _swap(chance: random.Random, lines: dict[int, ExportLog]) -> set[tuple[str, int]]:
    one, other = chance.sample(sorted(lines), 2)
    swap(lines[one], lines[other])
    return {("moved", one), ("moved", other)}
