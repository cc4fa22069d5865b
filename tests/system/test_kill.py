"""A worker is killed in the middle of an export: nothing is lost, nothing is doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.installation import Row, ids_in, installed, wait_for

ASSETS = 120_000


@pytest.mark.system
def test_after_a_kill_another_worker_makes_exactly_one_right_file(tmp_path: Path):
    with installed(tmp_path, ASSETS) as place:
        place.start_scheduler()
        victim = place.start_worker()
        (export_id,) = place.order({"format": "excel"})

        def export() -> Row:
            return place.export(export_id)

        wait_for(lambda: export()["exported_items"] > 0, "The first rows")
        place.kill(victim)
        assert export()["status"] == "processing"
        place.start_worker()
        wait_for(lambda: export()["status"] == "completed", "The second try", pause=0.2)
        wait_for(place.mails, "The mail", pause=0.1)

        done = export()
        ids = ids_in(place.file_of(done), "excel")
        assert (len(ids), len(set(ids)), done["exported_items"]) == (ASSETS, ASSETS, ASSETS)
        assert (done["attempt"], done["file_key"]) == (2, f"{export_id}.2.xlsx")
        attempts = place.rows("SELECT outcome FROM rowferry_attempt ORDER BY number")
        assert [attempt["outcome"] for attempt in attempts] == ["interrupted", "completed"]
        wait_for(lambda: "notified" in place.events(export_id), "The mark of the mail", pause=0.1)
        assert place.events(export_id) == ["initiated", "processing", "processing", "completed", "notified"]
        place.sweep()
        assert sorted(path.name for path in place.files.iterdir()) == [
            done["file_key"],
            f"{done['file_key']}.manifest.json",
        ]
        assert len(place.mails()) == 1
