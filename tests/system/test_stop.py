"""A worker is told to stop in the middle of an export: another one goes on at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.system.installation import Installation, Row, create_installation, ids_in, wait_for

ASSETS = 120_000
FEW = 40_000
"""Rows that are written within the grace on a loaded machine too."""
AT_ONCE = {
    "ROWFERRY_LEASE": "600",
    "ROWFERRY_HEARTBEAT": "0.5",
    "ROWFERRY_WORKERS": "1",
    "ROWFERRY_GRACE": "0.05",
}
"""No time to finish, and a lease that nobody would live to see the end of."""
pytestmark = pytest.mark.system


def parent(pid: str) -> int:
    """Who has started a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def taken_by(workers: list[subprocess.Popen[bytes]], export: Row) -> subprocess.Popen[bytes]:
    """The worker whose child makes the export."""
    owner = parent(export["worker"].rpartition(":")[2])
    (found,) = [worker for worker in workers if worker.pid == owner]
    return found


def run_handover(installation: Installation, export_id: str) -> Row:
    """The export, done, after the worker that began it was told to stop in the middle."""

    def export() -> Row:
        return installation.export(export_id)

    wait_for(lambda: export()["exported_items"] > 0, "The first rows")
    victim = taken_by(installation.workers, export())
    victim.terminate()
    wait_for(lambda: export()["status"] == "completed", "The file", pause=0.1)
    wait_for(lambda: victim.poll() is not None, "The end of the worker", pause=0.1)
    return export()


def test_another_worker_goes_on_without_waiting_for_the_lease(tmp_path: Path) -> None:
    with create_installation(tmp_path, ASSETS, **AT_ONCE) as installation:
        installation.start_worker()
        installation.start_worker()
        (export_id,) = installation.queue_exports({"format": "excel"})
        done = run_handover(installation, export_id)
        assert len(set(ids_in(installation.file_of(done), "excel"))) == ASSETS
        assert (done["attempt"], done["max_attempts"]) == (2, 4)
        attempts = installation.rows("SELECT outcome FROM rowferry_attempt ORDER BY number")
        assert [attempt["outcome"] for attempt in attempts] == ["handed_over", "completed"]
        assert installation.events(export_id) == ["initiated", "processing", "retrying", "processing", "completed"]
        installation.remove_orphans()
        assert len(list(installation.files.iterdir())) == 2


def test_a_worker_that_is_told_to_stop_finishes_what_it_can(tmp_path: Path) -> None:
    with create_installation(tmp_path, FEW, ROWFERRY_WORKERS="1") as installation:
        worker = installation.start_worker()
        (export_id,) = installation.queue_exports({"format": "csv"})
        wait_for(lambda: installation.export(export_id)["exported_items"] > 0, "The first rows")
        worker.terminate()
        wait_for(lambda: worker.poll() is not None, "The end of the worker", pause=0.1)
        done = installation.export(export_id)
        assert (done["status"], done["attempt"]) == ("completed", 1)
        assert len(ids_in(installation.file_of(done), "csv")) == FEW
