"""Figure 6: the disk is full, and then a file may not grow: a clear code, nothing left, and the next export works."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import postgresql

from chaos import checker
from chaos.file_rows import FORMATS
from chaos.installation import Site, site
from chaos.result import Figure

ROWS = 200_000
ROOM = 400_000
"""Bytes: less than any format needs for all rows, more than they all need for FEW."""
FEW = 100
AS_IT_SHOULD = "failed storage_fault, nothing left, the next one came"


def disk_full(quick: bool) -> Figure:
    """Figure 6."""
    kinds = FORMATS[:1] if quick else FORMATS
    found = [*full(kinds), *limited(kinds)]
    return Figure(
        6,
        "disk-full",
        f"{len(kinds)} formats onto a full tmpfs, and past a file-size limit of the workers",
        "; ".join(found),
        "failed with storage_fault, no leftovers, the next export works without a restart",
        all(one.endswith(AS_IT_SHOULD) for one in found),
    )


def full(kinds: tuple[str, ...]) -> Iterator[str]:
    with site(ROWS) as place, small_disk(place.files):
        place.start(workers=1)
        for kind in kinds:
            yield f"tmpfs, {kind}: {tried(place, kind)}, {next_one(place, kind)}"


def limited(kinds: tuple[str, ...]) -> Iterator[str]:
    """On PostgreSQL: the limit shall meet the file, not the database's own files."""
    with postgresql() as url, site(ROWS, DATABASE_URL=url) as place:
        place.start(workers=1)
        for kind in kinds:
            limit(place, ROOM)
            ended = tried(place, kind)
            limit(place, resource.RLIM_INFINITY)
            yield f"limit, {kind}: {ended}, {next_one(place, kind)}"


def tried(place: Site, kind: str) -> str:
    """How an export that does not fit ended, and what it left."""
    export_id = place.order(kind, f"{kind} that does not fit")
    checker.rest(place)
    export = place.exports.get(pk=export_id)
    code = (export.error or {}).get("code")
    left = checker.left_over(place)
    return f"{export.status} {code}, {f'LEFT {sorted(left)}' if left else 'nothing left'}"


def next_one(place: Site, kind: str) -> str:
    """Whether an export that fits is had from the same worker."""
    worker = place.crew.members["worker0"].pid
    table = place.rows()[:FEW]
    export_id = place.order(kind, f"{kind} that fits", filters={"ids": [row[0] for row in table]})
    checker.rest(place)
    export = place.exports.get(pk=export_id)
    faults = list(checker.faults_of_file(place, export, table))
    same = worker == place.crew.members["worker0"].pid
    return "the next one came" if not faults and same else f"THE NEXT ONE: {export.status} {faults} {same}"


def limit(place: Site, size: int) -> None:
    """No process of the worker may write a file beyond so many bytes."""
    worker = place.crew.members["worker0"]
    for pid in (worker.pid, *worker.children):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own, in memory, with hardly any room. Only root may mount one."""
    folder.mkdir()
    size = f"size={ROOM // 4096 * 4096}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "rowferry-chaos", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
