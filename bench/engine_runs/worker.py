"""What a worker does with one queued export: `python -m bench.engine_runs worker FORMAT FILE`.

The export is queued first; the clock runs while `run_next` claims it, makes the file, and publishes it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rowferry.assets.models import Asset
from rowferry.exports.execution import queued
from rowferry.exports.models import Status


def work(format_name: str, file: Path) -> float:
    """Seconds; the finished file is moved to `file`."""
    export = Asset.exports.run(format=format_name, queue=True, email_notification=False)
    started = time.perf_counter()
    done = queued.run_next()
    seconds = time.perf_counter() - started
    assert done is not None
    assert done.pk == export.pk
    done.refresh_from_db()
    assert done.status == Status.COMPLETED, done.error
    with Asset.exports.open(done) as stream:
        Path(stream.name).rename(file)
    return seconds


if __name__ == "__main__":
    print(json.dumps({"seconds": work(sys.argv[1], Path(sys.argv[2]))}))
