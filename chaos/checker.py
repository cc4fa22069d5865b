"""The verdict on an installation after an attack: what was lost, stuck, wrong, doubled or left behind."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from chaos.file_rows import Row, read_rows
from chaos.installation import Installation
from rowferry.exports.models import Event, Export, MailKind, Status

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED, Status.DELETED)

MAILED = {Status.COMPLETED: MailKind.COMPLETED, Status.FAILED: MailKind.FAILED}


@dataclass(slots=True)
class Verdict:
    """`faults` by kind: lost, stuck, wrong, doubled, mails, left. Empty = nothing was lost."""

    exports: int = 0
    completed: int = 0
    failed: int = 0
    max_attempts: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add_fault(self, kind: str, what: str) -> None:
        self.faults.setdefault(kind, []).append(what)

    def count(self, kind: str) -> int:
        return len(self.faults.get(kind, ()))

    @property
    def passed(self) -> bool:
        return not self.faults and self.max_attempts <= 3

    def __str__(self) -> str:
        counted = ", ".join(f"{self.count(kind)} {kind}" for kind in ("lost", "stuck", "wrong", "doubled", "left"))
        more = "".join(f"; {kind}: {found[0][:300]}" for kind, found in self.faults.items())
        return f"{counted}, attempts ≤ {self.max_attempts}{more}"


def wait_until_idle(installation: Installation, seconds: float = 90) -> bool:
    """Wait until every export has ended, every mail has gone and no message is left; False if that does not come."""
    installation.failpoints.disarm()

    def is_idle() -> bool:
        return (
            not installation.exports.exclude(status__in=ENDED).exists()
            and not installation.mails.filter(sent_at=None).exists()
        )

    return installation.wait_until(is_idle, seconds) and installation.wait_until(
        lambda: not waiting_messages(installation), 20
    )


def waiting_messages(site: Installation) -> list[str]:
    """The messages that lie in the embedded broker."""
    spool = site.folder / "spool" / "exports"
    return [path.name for part in ("new", "taken", "tmp") for path in (spool / part).rglob("*.json")]


def check_installation(installation: Installation, export_ids: list[str]) -> Verdict:
    """Checks every row, file, log line and mail. `export_ids` = the ids that clients were given."""
    verdict, table = Verdict(), installation.rows()
    known = {str(export.pk) for export in installation.exports}
    for export_id in export_ids:
        if export_id not in known:
            verdict.add_fault("lost", f"{export_id} is in no row")
    for export in installation.exports:
        verdict.exports += 1
        verdict.max_attempts = max(verdict.max_attempts, export.attempt)
        check_export(installation, export, table, verdict)
    for message in installation.client.corrupt_downloads:
        verdict.add_fault("wrong", message)
    installation.remove_orphans()
    for name in sorted(find_leftovers(installation)):
        verdict.add_fault("left", name)
    return verdict


def check_export(installation: Installation, export: Export, table: list[Row], verdict: Verdict) -> None:
    events = Counter(installation.logs.filter(export=export).values_list("event", flat=True))
    mails = Counter(installation.mails.filter(export=export).values_list("kind", flat=True))
    if export.status not in ENDED:
        verdict.add_fault("stuck", f"{export.pk} is {export.status} since try {export.attempt}")
    if export.status == Status.COMPLETED:
        verdict.completed += 1
        for fault in find_file_faults(installation, export, table):
            verdict.add_fault("wrong", f"{export.pk}: {fault}")
    if export.status == Status.FAILED:
        verdict.failed += 1
    moves = [events[event] for event in (Event.INITIATED, Event.COMPLETED, Event.FAILED, Event.CANCELLED)]
    if max(moves) > 1 or events[Event.COMPLETED] + events[Event.FAILED] > 1:
        verdict.add_fault("doubled", f"{export.pk}: {dict(events)}")
    if export.notify and export.status in MAILED and mails != {MAILED[Status(export.status)]: 1}:
        verdict.add_fault("mails", f"{export.pk} is {export.status}, with mails {dict(mails)}")


def find_file_faults(installation: Installation, export: Export, table: list[Row]) -> Iterator[str]:
    """What is wrong with a finished file, against its row and against the table."""
    try:
        data = installation.storage.read(export.file_key)
    except OSError as error:
        yield f"no file ({error})"
        return
    if (len(data), hashlib.sha256(data).hexdigest()) != (export.file_size, export.sha256):
        yield f"{len(data)} bytes, not what the row says"
    elif read_rows(export.format, data) != table:
        yield "its rows are not those of the table"


def find_leftovers(installation: Installation) -> set[str]:
    """Files that no finished export speaks of."""
    keys = set(installation.exports.filter(status=Status.COMPLETED).values_list("file_key", flat=True))
    wanted = keys | {f"{key}.manifest.json" for key in keys}
    return installation.storage.list_files() - wanted
