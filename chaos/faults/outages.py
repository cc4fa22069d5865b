"""Figures 4 and 5: the broker is away while people order; the database dies while files are made."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial

from django.db import connections
from tests.services import free_port, rabbitmq, redis
from tests.services.postgresql import USER, initialise, installed, serving
from tests.services.rabbitmq import address as rabbitmq_address
from tests.services.redis import address as redis_address
from tests.services.running import own_folder

from chaos import checker
from chaos.client import Client
from chaos.file_rows import FORMATS
from chaos.installation import Site, site
from chaos.processes import children_of
from chaos.result import Figure, share
from rowferry.exports.models import Status

CREATES, AWAY = 30, 20.0
ROWS = 20_000
AT_ONCE = 4
"""Exports that wait or are made when the database dies."""
DOWN = 3.0
Broker = Callable[..., AbstractContextManager[str]]


def broker_down(quick: bool) -> Figure:
    """Figure 4."""
    brokers: dict[str, tuple[Broker, str]] = {"Redis": (redis, redis_address())}
    if not quick:
        brokers["RabbitMQ"] = (rabbitmq, rabbitmq_address())
    found = {name: without(broker, url) for name, (broker, url) in brokers.items()}
    told = [f"{name}: {one[0]} answers ≥ 500, p99 {1000 * one[1]:.0f} ms, {one[2]}" for name, one in found.items()]
    return Figure(
        4,
        "broker-down",
        f"{CREATES} orders while the broker is away for {AWAY:g} s",
        "; ".join(told),
        "0 answers ≥ 500, p99 ≤ 1 s, all finish",
        all(errors == 0 and slowest <= 1 and end.sound for errors, slowest, end in found.values()),
    )


def without(broker: Broker, url: str) -> tuple[int, float, checker.Verdict]:
    """Answers of 500 and above, the 99th percentile in seconds, and the verdict at the end."""
    with site(2_000, BROKER_URL=url) as place:
        with broker(at=url):
            place.start(workers=1)
            place.order("csv", "before")
            checker.rest(place)
        place.client = Client(f"http://127.0.0.1:{place.port}", place.token)
        for number in range(CREATES):
            place.order(FORMATS[number % 3], f"without {number}")
            place.wait(lambda: False, AWAY / CREATES)
        errors = sum(count for status, count in place.client.statuses.items() if status >= 500)
        slowest = share(place.client.times("POST"), 0.99)
        with broker(at=url):
            checker.rest(place)
            return errors, slowest, checker.judge(place, [])


def database_killed(quick: bool) -> Figure:
    """Figure 5."""
    rounds = 2 if quick else 5
    programs, port, password = installed(), free_port(), secrets.token_hex(16)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    with own_folder("postgresql", USER) as folder, ExitStack() as servers:
        initialise(programs, folder, password)
        start = partial(serving, programs, folder, port)
        server = servers.enter_context(start())
        with site(ROWS, CHAOS_PACE="0.05", DATABASE_URL=url) as place:
            place.start()
            for number in range(rounds):
                caught = in_the_middle(place, number)
                kill(place, server)
                place.wait(partial(asked, place, caught), DOWN)
                server = servers.enter_context(start())
                checker.rest(place)
            verdict, client = checker.judge(place, []), place.client
    refused = client.statuses[503]
    return Figure(
        5,
        "database-killed",
        f"PostgreSQL killed {rounds} times in the middle of {AT_ONCE} exports",
        f"{verdict}; meanwhile {refused} answers 503 with Retry-After, {len(client.rude)} others ≥ 500"
        + "".join(f" ({one})" for one in client.rude[:1]),
        "0 lost, 0 partial; 503 with Retry-After meanwhile",
        verdict.sound and verdict.completed == rounds * AT_ONCE and refused > 0 and not client.rude,
    )


def in_the_middle(place: Site, number: int) -> str:
    """Order some exports; the id of one that is being made."""
    for one in range(AT_ONCE):
        place.order(FORMATS[one % 3], f"round {number}, order {one}")
    busy = place.exports.filter(status=Status.PROCESSING, exported_items__gt=0)
    if not place.wait(busy.exists, 30):
        raise RuntimeError("No export was ever in the middle.")
    return str(busy.values_list("pk", flat=True)[0])


def asked(place: Site, export_id: str) -> bool:
    """Ask how an export does; never enough."""
    place.client.status(export_id)
    return False


def kill(place: Site, server: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the server and all of its processes."""
    for pid in (server.pid, *children_of(server.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.wait()
    connections[place.alias].close()
