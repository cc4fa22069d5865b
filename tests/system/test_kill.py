"""A worker is killed in the middle of an export: nothing is lost, nothing is doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.installation import Row, create_installation, ids_in, wait_for

ASSETS = 120_000


@pytest.mark.system
def test_after_a_kill_another_worker_makes_exactly_one_right_file(tmp_path: Path):
    with create_installation(tmp_path, ASSETS) as installation:
        installation.start_scheduler()
        victim = installation.start_worker()
        (export_id,) = installation.queue_exports({"format": "excel"})

        def export() -> Row:
            return installation.export(export_id)

        wait_for(lambda: export()["exported_items"] > 0, "The first rows")
        installation.kill(victim)
        assert export()["status"] == "processing"
        installation.start_worker()
        wait_for(lambda: export()["status"] == "completed", "The second try", pause=0.2)
        wait_for(installation.mails, "The mail", pause=0.1)

        done = export()
        ids = ids_in(installation.file_of(done), "excel")
        assert (len(ids), len(set(ids)), done["exported_items"]) == (ASSETS, ASSETS, ASSETS)
        assert (done["attempt"], done["file_key"]) == (2, f"{export_id}.2.xlsx")
        attempts = installation.rows("SELECT outcome FROM rowferry_attempt ORDER BY number")
        assert [attempt["outcome"] for attempt in attempts] == ["interrupted", "completed"]
        wait_for(lambda: "notified" in installation.events(export_id), "The mark of the mail", pause=0.1)
        assert installation.events(export_id) == ["initiated", "processing", "processing", "completed", "notified"]
        installation.remove_orphans()
        assert sorted(path.name for path in installation.files.iterdir()) == [
            done["file_key"],
            f"{done['file_key']}.manifest.json",
        ]
        assert len(installation.mails()) == 1
