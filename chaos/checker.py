"""The verdict on an installation after an attack: what was lost, stuck, wrong, doubled or left behind."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from chaos.file_rows import Row, rows_of
from chaos.installation import Site
from rowferry.exports.models import Event, Export, MailKind, Status

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED, Status.DELETED)

MAILED = {Status.COMPLETED: MailKind.COMPLETED, Status.FAILED: MailKind.FAILED}


@dataclass(slots=True)
class Verdict:
    """`faults` by kind: lost, stuck, wrong, doubled, mails, left. Empty = nothing was lost."""

    exports: int = 0
    completed: int = 0
    failed: int = 0
    most_attempts: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def blame(self, kind: str, what: str) -> None:
        self.faults.setdefault(kind, []).append(what)

    def count(self, kind: str) -> int:
        return len(self.faults.get(kind, ()))

    @property
    def sound(self) -> bool:
        return not self.faults and self.most_attempts <= 3

    def __str__(self) -> str:
        counted = ", ".join(f"{self.count(kind)} {kind}" for kind in ("lost", "stuck", "wrong", "doubled", "left"))
        more = "".join(f"; {kind}: {found[0][:300]}" for kind, found in self.faults.items())
        return f"{counted}, attempts ≤ {self.most_attempts}{more}"


def rest(site: Site, seconds: float = 90) -> bool:
    """Wait until every export has ended, every mail has gone and no bell is left; False if that does not come."""
    site.traps.disarm()

    def still() -> bool:
        return not site.exports.exclude(status__in=ENDED).exists() and not site.mails.filter(sent_at=None).exists()

    return site.wait(still, seconds) and site.wait(lambda: not bells(site), 20)


def bells(site: Site) -> list[str]:
    """The messages that lie in the embedded broker."""
    spool = site.folder / "spool" / "exports"
    return [path.name for part in ("new", "taken", "tmp") for path in (spool / part).rglob("*.json")]


def judge(site: Site, ordered: list[str]) -> Verdict:
    """Look at every row, file, log line and mail. `sort_rows` = the ids that clients were given."""
    verdict, table = Verdict(), site.rows()
    known = {str(export.pk) for export in site.exports}
    for export_id in ordered:
        if export_id not in known:
            verdict.blame("lost", f"{export_id} is in no row")
    for export in site.exports:
        verdict.exports += 1
        verdict.most_attempts = max(verdict.most_attempts, export.attempt)
        of_one(site, export, table, verdict)
    for message in site.client.wrong:
        verdict.blame("wrong", message)
    site.sweep()
    for name in sorted(left_over(site)):
        verdict.blame("left", name)
    return verdict


def of_one(site: Site, export: Export, table: list[Row], verdict: Verdict) -> None:
    events = Counter(site.logs.filter(export=export).values_list("event", flat=True))
    mails = Counter(site.mails.filter(export=export).values_list("kind", flat=True))
    if export.status not in ENDED:
        verdict.blame("stuck", f"{export.pk} is {export.status} since try {export.attempt}")
    if export.status == Status.COMPLETED:
        verdict.completed += 1
        for fault in faults_of_file(site, export, table):
            verdict.blame("wrong", f"{export.pk}: {fault}")
    if export.status == Status.FAILED:
        verdict.failed += 1
    moves = [events[event] for event in (Event.INITIATED, Event.COMPLETED, Event.FAILED, Event.CANCELLED)]
    if max(moves) > 1 or events[Event.COMPLETED] + events[Event.FAILED] > 1:
        verdict.blame("doubled", f"{export.pk}: {dict(events)}")
    if export.notify and export.status in MAILED and mails != {MAILED[Status(export.status)]: 1}:
        verdict.blame("mails", f"{export.pk} is {export.status}, with mails {dict(mails)}")


def faults_of_file(site: Site, export: Export, table: list[Row]) -> Iterator[str]:
    """What is wrong with a finished file, against its row and against the table."""
    try:
        data = site.shelf.read(export.file_key)
    except OSError as error:
        yield f"no file ({error})"
        return
    if (len(data), hashlib.sha256(data).hexdigest()) != (export.file_size, export.sha256):
        yield f"{len(data)} bytes, not what the row says"
    elif rows_of(export.format, data) != table:
        yield "its rows are not those of the table"


def left_over(site: Site) -> set[str]:
    """Files that no finished export speaks of."""
    keys = set(site.exports.filter(status=Status.COMPLETED).values_list("file_key", flat=True))
    wanted = keys | {f"{key}.manifest.json" for key in keys}
    return site.shelf.names() - wanted
