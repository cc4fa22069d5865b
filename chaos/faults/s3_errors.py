"""Figure 7: a storage that errs: three requests of ten come to nothing, and workers die in the middle of uploads."""

from __future__ import annotations

import subprocess
from urllib.parse import parse_qs, urlsplit

from tests.services import s3
from tests.services.faulty import FaultyServer, run_faulty_server
from tests.services.s3 import CREDENTIALS

from chaos import checker
from chaos.faults.failpoints import ON_S3
from chaos.installation import Installation, create_installation
from chaos.result import Figure
from chaos.stored_files import BucketReader
from chaos.workloads.orders import ExportWorkload

ROWS = 4_000
"""Several parts of an upload for each file, as CHAOS_HASTE has them."""
SHARE = 0.3
EVERY = 0.5
"""Seconds between two orders."""
NO_CLEANUP = "3600"
"""Seconds to the scheduler's next look at the files: what a dead worker left shall lie there until it is looked at."""
CLEANUP_TRIES = 5
"""The scheduler tries a clean-up again that the storage has made fail."""


def storage_faults(quick: bool) -> Figure:
    """Figure 7. The verdict looks into the bucket past the faulty server; everybody else has to go through it."""
    orders, kills = (10, 4) if quick else (40, 10)
    with s3() as url, run_faulty_server(endpoint_of(url), SHARE) as (address, server):
        settings = {"STORAGE_URL": url.replace(endpoint_of(url), address), **CREDENTIALS}
        with create_installation(ROWS, CHAOS_HASTE="1", CHAOS_SELDOM=NO_CLEANUP, **settings) as installation:
            installation.storage = BucketReader(url)
            workload, killed = run_workload(installation, orders, kills)
            open_before, left = clean_up(installation)
            server.share = 0
            verdict = checker.check_installation(installation, workload.created)
    sound = verdict.passed and not left and not workload.missing and workload.error is None
    return Figure(
        7,
        "storage-faults",
        f"S3, {SHARE:.0%} of requests refused, cut or done and not answered; workers killed in uploads",
        describe_result(workload, killed, server, open_before, left, verdict),
        f"≥ {orders} exports, ≥ {kills} kills; all had, 0 partial objects, 0 open uploads after a clean-up",
        sound and killed >= kills and open_before > 0 and len(workload.created) >= orders,
    )


def endpoint_of(url: str) -> str:
    """The server that a STORAGE_URL speaks of."""
    return parse_qs(urlsplit(url).query)["endpoint_url"][0]


def run_workload(installation: Installation, orders: int, kills: int) -> tuple[ExportWorkload, int]:
    """Somebody who has ordered and fetched all they wanted, and how many workers died meanwhile."""
    installation.start()
    workload = ExportWorkload(installation.client, orders, EVERY)
    workload.start()
    for number in range(kills):
        installation.wait_until(lambda: not installation.failpoints.count_armed(), 60)
        installation.failpoints.arm(ON_S3[number % len(ON_S3)], "kill")
    installation.wait_until(lambda: not installation.failpoints.count_armed(), 60)
    workload.may_stop.set()
    installation.wait_until(lambda: not workload.is_alive(), 300)
    checker.wait_until_idle(installation)
    return workload, len(installation.failpoints.list_fired())


def clean_up(place: Installation) -> tuple[int, list[str]]:
    """Uploads that were open before a clean-up, and what lies there after it that no export needs."""
    open_before = sum(name.endswith("(upload)") for name in place.storage.list_files())
    for _ in range(CLEANUP_TRIES):
        try:
            place.remove_orphans()
            break
        except subprocess.CalledProcessError:
            continue
    return open_before, sorted(checker.find_leftovers(place))


def describe_result(
    workload: ExportWorkload,
    killed: int,
    server: FaultyServer,
    open_before: int,
    left: list[str],
    verdict: checker.Verdict,
) -> str:
    """What was found, in words."""
    partial = sum(not name.endswith("(upload)") for name in left)
    lines = [
        f"{len(workload.created)} orders ({workload.retried} retried by hand), {killed} kills",
        f"{server.spoiled:,} of {server.asked:,} requests spoilt",
        f"{open_before} open uploads before a clean-up, {len(left) - partial} after it, {partial} partial objects",
        f"{verdict}; {workload.client.downloads} downloads checked",
    ]
    unhappy = [f"{len(workload.missing)} never had"] if workload.missing else []
    return "; ".join(lines + unhappy + ([f"the client: {workload.error}"] if workload.error else []))
