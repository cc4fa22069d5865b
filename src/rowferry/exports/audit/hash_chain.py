"""How one event of the log holds on to the one before it, and how to see that one was changed, left out or put in.

Plain values only: the same rules hold for rows of the database and for lines of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rowferry.exports.encoding.canonical_json import digest

FIELDS = (
    "export_id",
    "sequence",
    "event",
    "message",
    "processed_items",
    "total_items",
    "current_batch",
    "total_batches",
    "duration_ms",
    "error_message",
    "actor_id",
    "actor_name",
    "actor_email",
    "created_at",
    "previous_hash",
)
"""What the hash of an event is made of, whatever they say."""
ADDED_FIELDS = ("on_behalf_of_id", "on_behalf_of_name", "on_behalf_of_email")
"""What it is made of only where they say something (not null): events of before these fields have their old hash."""
COLUMNS = FIELDS + ADDED_FIELDS
ANCHORED = ("day", "chains", "events", "heads_hash", "previous_hash")
"""What the hash of a day's anchor is made of."""
MOST_SUSPECTS = 100
"""Changed events of one chain among which the places of moved ones are looked for."""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a chain, as it is told elsewhere."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written: in an export's chain at `sequence` (and `count - 1` more), or of a
    `day`. `what` is one of changed, moved, missing, inserted, replaced, anchor."""

    what: str
    detail: str
    export_id: str = ""
    sequence: int | None = None
    count: int = 1
    day: str = ""


def event(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event as plain JSON, from values of the database; its hash comes with it if it is there."""
    values = {
        name: row[name] for name in (*COLUMNS, "hash") if name in row and (name in FIELDS or row[name] is not None)
    }
    return values | {"export_id": str(row["export_id"]), "created_at": instant(row["created_at"])}


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def fingerprint(record: Event) -> str:
    """The hash that an event has to have."""
    added_values = {name: record[name] for name in ADDED_FIELDS if record.get(name) is not None}
    return digest({name: record[name] for name in FIELDS} | added_values)


def anchor_fingerprint(anchor: Mapping[str, Any]) -> str:
    """The hash that a day's anchor has to have."""
    return digest({name: anchor[name] for name in ANCHORED})


def heads_hash(heads: Mapping[str, Head]) -> str:
    """One hash over the last events of a day, by export."""
    return digest([[export_id, head.sequence, head.hash] for export_id, head in sorted(heads.items())])


def examine(export_id: str, events: Sequence[Event], head: Head | None = None, *, first: int = 1) -> Iterator[Finding]:
    """What is wrong with one chain; `events` by sequence. Without `head` nobody says where it has to end."""
    suspects = [record for record in events if fingerprint(record) != record["hash"]]
    for record in suspects:
        yield _find_alteration(record, suspects)
    altered_numbers = {record["sequence"] for record in suspects}
    yield from _check_links(export_id, events, altered_numbers, first)
    if head is not None:
        yield from _check_end(export_id, events, head, altered_numbers)


def _find_alteration(record: Event, suspects: Iterable[Event]) -> Finding:
    sequences = [other["sequence"] for other in suspects][:MOST_SUSPECTS]
    original_sequence = next(
        (sequence for sequence in sequences if fingerprint({**record, "sequence": sequence}) == record["hash"]), None
    )
    if original_sequence is None:
        return Finding("changed", "its content does not have its hash", record["export_id"], record["sequence"])
    return Finding("moved", f"it was event {original_sequence}", record["export_id"], record["sequence"])


def _check_links(export_id: str, events: Sequence[Event], altered_numbers: set[int], first: int) -> Iterator[Finding]:
    expected, previous_hash = first, "" if first == 1 else None
    for record in events:
        number = record["sequence"]
        if number > expected:
            yield _missing_finding(export_id, expected, number)
        elif number < expected:
            yield Finding("inserted", "there are several events with this number", export_id, number)
        elif previous_hash is not None and number not in altered_numbers and record["previous_hash"] != previous_hash:
            yield Finding("replaced", f"it does not carry the hash of event {number - 1}", export_id, number)
        # After a changed event nobody knows which hash the next one should carry.
        expected, previous_hash = number + 1, None if number in altered_numbers else record["hash"]


def _missing_finding(export_id: str, start: int, stop: int) -> Finding:
    missing_events = f"event {start} is" if stop - start == 1 else f"events {start} to {stop - 1} are"
    return Finding("missing", f"{missing_events} not there", export_id, start, stop - start)


def _check_end(export_id: str, events: Sequence[Event], head: Head, altered_numbers: set[int]) -> Iterator[Finding]:
    last = events[-1]["sequence"] if events else 0
    if last < head.sequence:
        yield _missing_finding(export_id, last + 1, head.sequence + 1)
    elif last > head.sequence:
        count = last - head.sequence
        yield Finding("inserted", "the export's row knows of no such event", export_id, head.sequence + 1, count)
    elif last and last not in altered_numbers and events[-1]["hash"] != head.hash:
        yield Finding("replaced", "the export's row has another hash for the last event", export_id, last)
