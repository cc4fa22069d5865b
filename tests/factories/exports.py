"""Exports for tests: ordered as a person would, put into any state, and looked at from outside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.utils import timezone

from rowferry.exports import lifecycle, submission
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.execution import queued
from rowferry.exports.lifecycle import Claim, FileResult
from rowferry.exports.models import Export, ExportLog, Mode, Status
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import registry
from rowferry.exports.resources.resource import Column, Person, Resource
from rowferry.exports.storage import StoredFile

Hooks = dict[int, Callable[[], object]]
LONG_AGO = timedelta(hours=1)


def queue_export(person: User | None, resource: str = "assets", kind: str = "csv", **body: Any) -> Export:
    """An export that waits for a worker."""
    return submission.enqueue(resource, {"format": kind, **body}, person)


def begin_export(person: User, mode: Mode = Mode.STREAMED) -> Claim:
    """An export that a request has begun to make."""
    facts = {
        "resource": "assets",
        "format": "csv",
        "mode": mode,
        "mode_reason": {"code": "requested"},
        "total_items": 1,
    }
    spec = ExportSpec.parse("assets", {"format": "csv"}).as_json()
    owner = {"user": person, "user_name": person.username, "user_email": person.email}
    return lifecycle.begin(Export(spec=spec, **facts, **owner), person, "a request")


def create_export_in_state(person: User, status: Status, **values: Any) -> Export:
    """An export in any state, as if it had got there; while it is processing, the lease of its first try runs."""
    export = queue_export(person)
    if status == Status.PROCESSING:
        values = {"lease_until": timezone.now() + LONG_AGO, "worker": "somebody", **values}
    if status != Status.PENDING:
        values = {"attempt": 1, "fence": 1, "started_at": timezone.now(), **values}
    return update_export(export, status=status, **values)


def update_export(export: Export, **values: Any) -> Export:
    """The export after its row was changed behind the engine's back."""
    Export.objects.filter(pk=export.pk).update(**values)
    return reload_export(export)


def complete_export(
    person: User | None, *, rows: int = 5_000, failed: int = 0, size: int = 2_621_440, **body: Any
) -> Export:
    """An export to Excel that was completed after 12 seconds, as far as its row can tell: there is no file."""
    update_export(queue_export(person, kind="excel", **body), total_items=5_000)
    claim = claim_export()
    began = timezone.now() - timedelta(seconds=12)
    update_export(claim.export, started_at=began)
    facts = FileResult(StoredFile("a-key", size, "ab" * 32), rows, failed, began, {})
    return lifecycle.complete(claim, facts, 12_000)


def end_lease(export: Export) -> Export:
    """What the row looks like some time after its worker was killed, or when a retry is due."""
    return update_export(export, lease_until=timezone.now() - LONG_AGO)


def reload_export(export: Export) -> Export:
    """The export as the database has it now."""
    return Export.objects.get(pk=export.pk)


def events(export: Export) -> list[str]:
    """What the log says has happened, oldest first, without the lines on progress."""
    lines = ExportLog.objects.filter(export_id=export.pk).order_by("id")
    return [line.event for line in lines if line.event != "progress"]


def claim_export() -> Claim:
    """What a worker gets that asks for something to do."""
    claim = lifecycle.claim_due(queued.worker_name())
    assert claim is not None
    return claim


def is_sound(export: Export, folder: Path) -> bool:
    """Whether the folder holds this export's one file and its manifest, and the file is what the row says."""
    data = (folder / export.file_key).read_bytes()
    return list_files(folder) == [export.file_key, f"{export.file_key}.manifest.json"] and (
        export.file_size,
        export.sha256,
    ) == (len(data), hashlib.sha256(data).hexdigest())


def list_files(folder: Path) -> list[str]:
    """The files in a folder; none if there is no folder."""
    return sorted(path.name for path in folder.glob("*"))


@contextmanager
def watched_rows(count: int, width: int = 1) -> Iterator[Hooks]:
    """A resource `groups` of `count` rows, with a computed column `width` characters wide.

    A test puts into the yielded table what shall happen, once, while the n-th row is made: that is how it acts in the
    middle of an export. A block is 2,000 rows. Number 0 is the moment at which the rows are asked for.
    """
    hooks: Hooks = {}

    def filling(name: str) -> str:
        hooks.pop(int(name), lambda: None)()
        return "x" * width

    class GroupResource(Resource):
        model = Group
        name = "groups"
        permission = "assets.export_asset"
        columns = (
            Column("id"),
            Column("name"),
            Column("filling", compute=filling, needs=("name",), kind=ValueType.TEXT),
        )

        def rows_for(self, person: Person) -> QuerySet[Any]:
            hooks.pop(0, lambda: None)()
            return super().rows_for(person)

    Group.objects.bulk_create(Group(name=f"{number:06d}") for number in range(1, count + 1))
    registry.register(GroupResource)
    try:
        yield hooks
    finally:
        registry.unregister("groups")
