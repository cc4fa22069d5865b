"""An installation at work: the web server and the workers, each the real process, asked as a client would."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.services import free_port

from bench.measuring import PRODUCT, ROOT, ContestantFailed, output_of
from bench.servers import Database

ROWFERRY = PRODUCT.with_name("rowferry")
PATIENCE = 60.0
WARM_UP, ASKED = 10, 30
PLAIN = {"format": "csv"}
QUEUED = {"format": "csv", "async": True, "email_notification": False}


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds from the sent request to the first byte below the header row, and to the last byte."""

    first: float
    whole: float


def median_answer(database: Database, body: Mapping[str, Any]) -> Answer:
    """A warm web server's answer to a POST of this body, one request after the other."""
    token = output_of(PRODUCT, "-m", "bench.engine_runs", "person", environment=database.environment).strip()
    port = free_port()
    with run_rowferry(database, "web", "--port", str(port)):
        client = connect(port)
        answers = [post_export(client, token, body) for _ in range(WARM_UP + ASKED)][WARM_UP:]
    return Answer(median(one.first for one in answers), median(one.whole for one in answers))


def connect(port: int) -> http.client.HTTPConnection:
    """A connection, as soon as the server takes one."""
    deadline = time.monotonic() + PATIENCE
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    while True:
        try:
            client.connect()
            return client
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def post_export(client: http.client.HTTPConnection, token: str, body: Mapping[str, Any]) -> Answer:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    started = time.perf_counter()
    client.request("POST", "/api/v1/assets/export", json.dumps(body), headers)
    response = client.getresponse()
    response.readline()
    response.read(1)
    first = time.perf_counter() - started
    rest = response.read()
    if response.status not in (200, 202):
        raise ContestantFailed(f"HTTP status {response.status}: {rest[:500]!r}")
    return Answer(first, time.perf_counter() - started)


def median_wait(database: Database, count: int) -> float:
    """Seconds in the middle from the queued export to its start, by workers that have nothing else to do."""
    with run_rowferry(database, "worker"):
        run_orders(database, "one-by-one", 2)
        return median(run_orders(database, "one-by-one", count))


def measure_batch(database: Database, count: int, workers: int) -> float:
    """Seconds from the first to the last of so many exports queued at once."""
    with run_rowferry(database, "worker", ROWFERRY_WORKERS=str(workers)):
        run_orders(database, "at-once", workers)
        return run_orders(database, "at-once", count)[0]


def run_orders(database: Database, way: str, count: int) -> list[float]:
    said = output_of(PRODUCT, "-m", "bench.engine_runs", "orders", way, count, environment=database.environment)
    found: list[float] = json.loads(said)
    return found


@contextmanager
def run_rowferry(database: Database, *arguments: str, **environment: str) -> Iterator[None]:
    """One `rowferry …` process, ended with what it started."""
    process = subprocess.Popen(
        [str(ROWFERRY), *arguments],
        env={**os.environ, **database.environment, **environment},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
