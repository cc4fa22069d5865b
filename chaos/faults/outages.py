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
from tests.services.postgresql import USER, find_programs, initialise, run_server
from tests.services.rabbitmq import address as rabbitmq_address
from tests.services.redis import address as redis_address
from tests.services.running import own_folder

from chaos import checker
from chaos.client import Client
from chaos.file_rows import FORMATS
from chaos.installation import Installation, create_installation
from chaos.processes import children_of
from chaos.result import Figure, percentile
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
    found = {name: run_without_broker(broker, url) for name, (broker, url) in brokers.items()}
    told = [f"{name}: {one[0]} answers ≥ 500, p99 {1000 * one[1]:.0f} ms, {one[2]}" for name, one in found.items()]
    return Figure(
        4,
        "broker-down",
        f"{CREATES} orders while the broker is away for {AWAY:g} s",
        "; ".join(told),
        "0 answers ≥ 500, p99 ≤ 1 s, all finish",
        all(errors == 0 and slowest <= 1 and end.passed for errors, slowest, end in found.values()),
    )


def run_without_broker(broker: Broker, url: str) -> tuple[int, float, checker.Verdict]:
    """Answers of 500 and above, the 99th percentile in seconds, and the verdict at the end."""
    with create_installation(2_000, BROKER_URL=url) as installation:
        with broker(at=url):
            installation.start(workers=1)
            installation.create_export("csv", "before")
            checker.wait_until_idle(installation)
        installation.client = Client(f"http://127.0.0.1:{installation.port}", installation.token)
        for number in range(CREATES):
            installation.create_export(FORMATS[number % 3], f"without {number}")
            installation.wait_until(lambda: False, AWAY / CREATES)
        errors = sum(count for status, count in installation.client.statuses.items() if status >= 500)
        slowest = percentile(installation.client.response_times("POST"), 0.99)
        with broker(at=url):
            checker.wait_until_idle(installation)
            return errors, slowest, checker.check_installation(installation, [])


def database_killed(quick: bool) -> Figure:
    """Figure 5."""
    rounds = 2 if quick else 5
    programs, port, password = find_programs(), free_port(), secrets.token_hex(16)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    with own_folder("postgresql", USER) as folder, ExitStack() as servers:
        initialise(programs, folder, password)
        start = partial(run_server, programs, folder, port)
        server = servers.enter_context(start())
        with create_installation(ROWS, CHAOS_PACE="0.05", DATABASE_URL=url) as installation:
            installation.start()
            for number in range(rounds):
                caught = start_exports(installation, number)
                kill_server(installation, server)
                installation.wait_until(partial(poll_export, installation, caught), DOWN)
                server = servers.enter_context(start())
                checker.wait_until_idle(installation)
            verdict, client = checker.check_installation(installation, []), installation.client
    refused = client.statuses[503]
    return Figure(
        5,
        "database-killed",
        f"PostgreSQL killed {rounds} times in the middle of {AT_ONCE} exports",
        f"{verdict}; meanwhile {refused} answers 503 with Retry-After, {len(client.server_errors)} others ≥ 500"
        + "".join(f" ({one})" for one in client.server_errors[:1]),
        "0 lost, 0 partial; 503 with Retry-After meanwhile",
        verdict.passed and verdict.completed == rounds * AT_ONCE and refused > 0 and not client.server_errors,
    )


def start_exports(installation: Installation, number: int) -> str:
    """Order some exports; the id of one that is being made."""
    for one in range(AT_ONCE):
        installation.create_export(FORMATS[one % 3], f"round {number}, order {one}")
    busy = installation.exports.filter(status=Status.PROCESSING, exported_items__gt=0)
    if not installation.wait_until(busy.exists, 30):
        raise RuntimeError("No export was ever in the middle.")
    return str(busy.values_list("pk", flat=True)[0])


def poll_export(installation: Installation, export_id: str) -> bool:
    """Ask how an export does; never enough."""
    installation.client.get_export(export_id)
    return False


def kill_server(installation: Installation, server: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the server and all of its processes."""
    for pid in (server.pid, *children_of(server.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.wait()
    connections[installation.alias].close()
