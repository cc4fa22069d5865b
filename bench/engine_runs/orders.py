"""Queued exports as CSV, done by workers that run elsewhere: `python -m bench.engine_runs orders WAY COUNT`.

`one-by-one` queues exports without a row, and prints the seconds that each waited for its worker; `at-once` queues
exports of all assets, and prints the seconds from the first one queued to the last one done.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rowferry.assets.models import Asset
from rowferry.exports.models import Export, Status

PATIENCE = 600.0
NO_ROW = {"date_from": "2100-01-01"}


def queue_export(**request: Any) -> Export:
    return Asset.exports.run(format="csv", queue=True, email_notification=False, **request)


def wait_for(exports: list[Export]) -> list[Export]:
    """The rows as they are when all are done."""
    keys = [one.pk for one in exports]
    deadline = time.monotonic() + PATIENCE
    while Export.objects.filter(pk__in=keys, status=Status.COMPLETED).count() < len(keys):
        assert time.monotonic() < deadline, "The workers did not get ready."
        time.sleep(0.02)
    return list(Export.objects.filter(pk__in=keys))


def measure_waits(count: int) -> list[float]:
    waits = []
    for _ in range(count):
        (done,) = wait_for([queue_export(filters=NO_ROW)])
        assert done.started_at is not None
        waits.append((done.started_at - done.created_at).total_seconds())
    return waits


def measure_batch(count: int) -> list[float]:
    done = wait_for([queue_export() for _ in range(count)])
    ends = [one.completed_at for one in done if one.completed_at]
    return [(max(ends) - min(one.created_at for one in done)).total_seconds()]


if __name__ == "__main__":
    ways = {"one-by-one": measure_waits, "at-once": measure_batch}
    print(json.dumps(ways[sys.argv[1]](int(sys.argv[2]))))
