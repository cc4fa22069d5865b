"""Ten exports at once on the embedded database and broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.installation import ids_in, installed, wait_for

ASSETS = 10_000
FORMATS = ("csv", "excel", "json")


@pytest.mark.system
def test_ten_exports_at_once_are_all_right(tmp_path: Path):
    with installed(tmp_path, ASSETS) as place:
        place.start_scheduler()
        place.start_worker()
        place.start_worker()
        ids = place.order(*({"format": FORMATS[number % 3]} for number in range(10)))
        wait_for(
            lambda: len(place.rows("SELECT 1 FROM rowferry_export WHERE status = 'completed'")) == 10, "Ten files", 0.2
        )
        for export_id in ids:
            export = place.export(export_id)
            found = ids_in(place.file_of(export), export["format"])
            assert (len(found), len(set(found))) == (ASSETS, ASSETS)
            assert export["attempt"] == 1
            assert place.events(export_id)[:3] == ["initiated", "processing", "completed"]
        wait_for(lambda: len(place.mails()) == 10, "Ten mails", 0.2)
        assert len(list(place.files.iterdir())) == 20
