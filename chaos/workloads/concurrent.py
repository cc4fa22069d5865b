"""Figure 10: many order at once, and many look how far it is, on SQLite and the built-in broker."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from chaos import checker
from chaos.client import Client
from chaos.file_rows import FORMATS
from chaos.installation import Site, site
from chaos.result import Figure, share

ROWS = 10_000
LOOKERS = 5
LOOK_EVERY = 0.2
MOST_SECONDS = 0.25


def crowd(quick: bool) -> Figure:
    """Figure 10."""
    found = {size: at_once(size) for size in ((10,) if quick else (10, 50, 100))}
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
        all(done == size and not locked and slow <= MOST_SECONDS for size, (done, locked, slow) in found.items()),
    )


def at_once(size: int) -> tuple[int, int, float]:
    """Finished and right; answers ≥ 500 and errors that speak of a lock; seconds of the slowest twentieth of polls."""
    with site(ROWS) as place:
        place.start(workers=1)
        with ThreadPoolExecutor(size) as pool:
            orders = [pool.submit(place.client.order, FORMATS[number % 3], f"crowd {number}") for number in range(size)]
            ids = [order.result() for order in orders]
        polls = watched(place, ids)
        verdict = checker.judge(place, ids)
        failed = sum("locked" in str(export.error) for export in place.exports)
        return verdict.completed if verdict.sound else 0, len(place.client.rude) + failed, share(polls, 0.95)


def watched(place: Site, ids: list[str]) -> list[float]:
    """The seconds of every poll, until all exports have ended."""
    over, clients = threading.Event(), [Client(f"http://127.0.0.1:{place.port}", place.token) for _ in range(LOOKERS)]

    def look(client: Client) -> None:
        while not over.is_set():
            for export_id in ids[:: max(1, len(ids) // 5)]:
                client.status(export_id)
                time.sleep(LOOK_EVERY)

    with ThreadPoolExecutor(LOOKERS) as pool:
        for client in clients:
            pool.submit(look, client)
        checker.rest(place)
        over.set()
    place.client.rude += [rude for client in clients for rude in client.rude]
    return [seconds for client in clients for seconds in client.times("GET")]
