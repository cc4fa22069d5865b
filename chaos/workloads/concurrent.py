"""Figure 10: many order at once, and many look how far it is, on SQLite and the built-in broker."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from chaos import checker
from chaos.client import Client
from chaos.file_rows import FORMATS
from chaos.installation import Installation, create_installation
from chaos.result import Figure, percentile

ROWS = 10_000
POLLERS = 5
POLL_INTERVAL = 0.2
MAX_SECONDS = 0.25


def crowd(quick: bool) -> Figure:
    """Figure 10."""
    found = {size: run_concurrent_exports(size) for size in ((10,) if quick else (10, 50, 100))}
    told = (
        f"{size} at once: {done} finished, {locked} locked, polls p95 {1000 * slow:.0f} ms"
        for size, (done, locked, slow) in found.items()
    )
    return Figure(
        10,
        "crowd",
        "exports ordered at the same moment, embedded",
        "; ".join(told),
        "all finish, no “database is locked” reaches a user, polls p95 ≤ 250 ms",
        all(done == size and not locked and slow <= MAX_SECONDS for size, (done, locked, slow) in found.items()),
    )


def run_concurrent_exports(size: int) -> tuple[int, int, float]:
    """Finished and right; answers ≥ 500 and errors that speak of a lock; seconds of the slowest twentieth of polls."""
    with create_installation(ROWS) as installation:
        installation.start(workers=1)
        with ThreadPoolExecutor(size) as pool:
            orders = [
                pool.submit(installation.client.create_export, FORMATS[number % 3], f"crowd {number}")
                for number in range(size)
            ]
            ids = [order.result() for order in orders]
        polls = poll_until_done(installation, ids)
        verdict = checker.check_installation(installation, ids)
        failed = sum("locked" in str(export.error) for export in installation.exports)
        return (
            verdict.completed if verdict.passed else 0,
            len(installation.client.server_errors) + failed,
            percentile(polls, 0.95),
        )


def poll_until_done(installation: Installation, ids: list[str]) -> list[float]:
    """The seconds of every poll, until all exports have ended."""
    over, clients = (
        threading.Event(),
        [Client(f"http://127.0.0.1:{installation.port}", installation.token) for _ in range(POLLERS)],
    )

    def poll(client: Client) -> None:
        while not over.is_set():
            for export_id in ids[:: max(1, len(ids) // 5)]:
                client.get_export(export_id)
                time.sleep(POLL_INTERVAL)

    with ThreadPoolExecutor(POLLERS) as pool:
        for client in clients:
            pool.submit(poll, client)
        checker.wait_until_idle(installation)
        over.set()
    installation.client.server_errors += [rude for client in clients for rude in client.server_errors]
    return [seconds for client in clients for seconds in client.response_times("GET")]
