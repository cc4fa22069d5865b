"""Figure 7: a storage that errs: three requests of ten come to nothing, and workers die in the middle of uploads."""

from __future__ import annotations

import subprocess
from urllib.parse import parse_qs, urlsplit

from tests.services import s3
from tests.services.faulty import Faulty, faulty
from tests.services.s3 import CREDENTIALS

from chaos import checker
from chaos.faults.failpoints import ON_S3
from chaos.installation import Site, site
from chaos.result import Figure
from chaos.stored_files import Bucket
from chaos.workloads.orders import Customer

ROWS = 4_000
"""Several parts of an upload for each file, as CHAOS_HASTE has them."""
SHARE = 0.3
EVERY = 0.5
"""Seconds between two orders."""
NO_SWEEP = "3600"
"""Seconds to the scheduler's next look at the files: what a dead worker left shall lie there until it is looked at."""
SWEEPS = 5
"""The scheduler does not give up a sweep that the storage spoils: it comes again."""


def storage_faults(quick: bool) -> Figure:
    """Figure 7. The verdict looks into the bucket past the faulty server; everybody else has to go through it."""
    orders, kills = (10, 4) if quick else (40, 10)
    with s3() as url, faulty(endpoint_of(url), SHARE) as (address, server):
        settings = {"STORAGE_URL": url.replace(endpoint_of(url), address), **CREDENTIALS}
        with site(ROWS, CHAOS_HASTE="1", CHAOS_SELDOM=NO_SWEEP, **settings) as place:
            place.shelf = Bucket(url)
            customer, killed = shopped(place, orders, kills)
            open_before, left = swept(place)
            server.share = 0
            verdict = checker.judge(place, customer.ordered)
    sound = verdict.sound and not left and not customer.missing and customer.fault is None
    return Figure(
        7,
        "storage-faults",
        f"S3, {SHARE:.0%} of requests refused, cut or done and not answered; workers killed in uploads",
        told(customer, killed, server, open_before, left, verdict),
        f"≥ {orders} exports, ≥ {kills} kills; all had, 0 partial objects, 0 open uploads after a sweep",
        sound and killed >= kills and open_before > 0 and len(customer.ordered) >= orders,
    )


def endpoint_of(url: str) -> str:
    """The server that a STORAGE_URL speaks of."""
    return parse_qs(urlsplit(url).query)["endpoint_url"][0]


def shopped(place: Site, orders: int, kills: int) -> tuple[Customer, int]:
    """Somebody who has ordered and fetched all they wanted, and how many workers died meanwhile."""
    place.start()
    customer = Customer(place.client, orders, EVERY)
    customer.start()
    for number in range(kills):
        place.wait(lambda: not place.traps.waiting(), 60)
        place.traps.arm(ON_S3[number % len(ON_S3)], "kill")
    place.wait(lambda: not place.traps.waiting(), 60)
    customer.enough.set()
    place.wait(lambda: not customer.is_alive(), 300)
    checker.rest(place)
    return customer, len(place.traps.fired())


def swept(place: Site) -> tuple[int, list[str]]:
    """Uploads that were open before a sweep, and what lies there after it that no export needs."""
    open_before = sum(name.endswith("(upload)") for name in place.shelf.names())
    for _ in range(SWEEPS):
        try:
            place.sweep()
            break
        except subprocess.CalledProcessError:
            continue
    return open_before, sorted(checker.left_over(place))


def told(
    customer: Customer, killed: int, server: Faulty, open_before: int, left: list[str], verdict: checker.Verdict
) -> str:
    """What was found, in words."""
    partial = sum(not name.endswith("(upload)") for name in left)
    lines = [
        f"{len(customer.ordered)} orders ({customer.retried} retried by hand), {killed} kills",
        f"{server.spoiled:,} of {server.asked:,} requests spoilt",
        f"{open_before} open uploads before a sweep, {len(left) - partial} after it, {partial} partial objects",
        f"{verdict}; {customer.client.served} downloads checked",
    ]
    unhappy = [f"{len(customer.missing)} never had"] if customer.missing else []
    return "; ".join(lines + unhappy + ([f"the client: {customer.fault}"] if customer.fault else []))
