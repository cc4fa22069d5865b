"""Ten exports at once on the embedded database and broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.installation import create_installation, ids_in, wait_for

ASSETS = 10_000
FORMATS = ("csv", "excel", "json")


@pytest.mark.system
def test_ten_exports_at_once_are_all_right(tmp_path: Path):
    with create_installation(tmp_path, ASSETS) as installation:
        installation.start_scheduler()
        installation.start_worker()
        installation.start_worker()
        ids = installation.queue_exports(*({"format": FORMATS[number % 3]} for number in range(10)))
        wait_for(
            lambda: len(installation.rows("SELECT 1 FROM rowferry_export WHERE status = 'completed'")) == 10,
            "Ten files",
            0.2,
        )
        for export_id in ids:
            export = installation.export(export_id)
            found = ids_in(installation.file_of(export), export["format"])
            assert (len(found), len(set(found))) == (ASSETS, ASSETS)
            assert export["attempt"] == 1
            assert installation.events(export_id)[:3] == ["initiated", "processing", "completed"]
        wait_for(lambda: len(installation.mails()) == 10, "Ten mails", 0.2)
        assert len(list(installation.files.iterdir())) == 20
