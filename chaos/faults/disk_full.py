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
from chaos.installation import Installation, create_installation
from chaos.result import Figure

ROWS = 200_000
ROOM = 400_000
"""Bytes: less than any format needs for all rows, more than they all need for FEW."""
FEW = 100
EXPECTED = "failed storage_fault, nothing left, the next one came"


def disk_full(quick: bool) -> Figure:
    """Figure 6."""
    kinds = FORMATS[:1] if quick else FORMATS
    found = [*run_on_full_tmpfs(kinds), *run_with_size_limit(kinds)]
    return Figure(
        6,
        "disk-full",
        f"{len(kinds)} formats onto a full tmpfs, and past a file-size limit of the workers",
        "; ".join(found),
        "failed with storage_fault, no leftovers, the next export works without a restart",
        all(one.endswith(EXPECTED) for one in found),
    )


def run_on_full_tmpfs(kinds: tuple[str, ...]) -> Iterator[str]:
    with create_installation(ROWS) as installation, mount_small_disk(installation.files):
        installation.start(workers=1)
        for kind in kinds:
            yield f"tmpfs, {kind}: {run_oversized_export(installation, kind)}, {run_next_export(installation, kind)}"


def run_with_size_limit(kinds: tuple[str, ...]) -> Iterator[str]:
    """On PostgreSQL: the limit shall meet the file, not the database's own files."""
    with postgresql() as url, create_installation(ROWS, DATABASE_URL=url) as installation:
        installation.start(workers=1)
        for kind in kinds:
            set_size_limit(installation, ROOM)
            ended = run_oversized_export(installation, kind)
            set_size_limit(installation, resource.RLIM_INFINITY)
            yield f"limit, {kind}: {ended}, {run_next_export(installation, kind)}"


def run_oversized_export(installation: Installation, kind: str) -> str:
    """How an export that does not fit ended, and what it left."""
    export_id = installation.create_export(kind, f"{kind} that does not fit")
    checker.wait_until_idle(installation)
    export = installation.exports.get(pk=export_id)
    code = (export.error or {}).get("code")
    left = checker.find_leftovers(installation)
    return f"{export.status} {code}, {f'LEFT {sorted(left)}' if left else 'nothing left'}"


def run_next_export(installation: Installation, kind: str) -> str:
    """Whether an export that fits is had from the same worker."""
    worker = installation.processes.members["worker0"].pid
    table = installation.rows()[:FEW]
    export_id = installation.create_export(kind, f"{kind} that fits", filters={"ids": [row[0] for row in table]})
    checker.wait_until_idle(installation)
    export = installation.exports.get(pk=export_id)
    faults = list(checker.find_file_faults(installation, export, table))
    same = worker == installation.processes.members["worker0"].pid
    return "the next one came" if not faults and same else f"THE NEXT ONE: {export.status} {faults} {same}"


def set_size_limit(installation: Installation, size: int) -> None:
    """No process of the worker may write a file beyond so many bytes."""
    worker = installation.processes.members["worker0"]
    for pid in (worker.pid, *worker.children):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def mount_small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own, in memory, with hardly any room. Only root may mount one."""
    folder.mkdir()
    size = f"size={ROOM // 4096 * 4096}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "rowferry-chaos", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
