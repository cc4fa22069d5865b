"""Somebody who keeps ordering, looks at what was ordered, fetches it and checks it, all through the storm."""

from __future__ import annotations

import threading
import time

from chaos.client import Client
from chaos.file_rows import FORMATS

WAITING = 12
"""Exports that one customer waits for at a time."""
ASKS_EVERY = 0.1


class Customer(threading.Thread):
    """Orders at least `orders`, one every `pause` seconds, and more until `enough` is set; retries what failed."""

    def __init__(self, client: Client, orders: int, pause: float) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.orders, self.pause = orders, pause
        self.enough = threading.Event()
        self.ordered: list[str] = []
        self.fetched: set[str] = set()
        self.retried = 0
        self.fault: Exception | None = None
        self._waiting: set[str] = set()

    def run(self) -> None:
        try:
            self._shop()
        except Exception as fault:  # whatever it is, the main thread has to hear of it
            self.fault = fault

    @property
    def missing(self) -> set[str]:
        """What was ordered and not had."""
        return set(self._waiting)

    def has_ordered(self, count: int) -> bool:
        return len(self.ordered) >= count or not self.is_alive()

    def _shop(self) -> None:
        last = 0.0
        while self._waiting or not self._has_all:
            if not self._has_all and len(self._waiting) < WAITING and time.monotonic() - last >= self.pause:
                last = time.monotonic()
                self._order()
            for export_id in list(self._waiting):
                self._look(export_id)
            time.sleep(ASKS_EVERY)

    @property
    def _has_all(self) -> bool:
        return len(self.ordered) >= self.orders and self.enough.is_set()

    def _order(self) -> None:
        number = len(self.ordered)
        export_id = self.client.order(FORMATS[number % len(FORMATS)], f"order {number}")
        self.ordered.append(export_id)
        self._waiting.add(export_id)

    def _look(self, export_id: str) -> None:
        export = self.client.status(export_id)
        if export is None:
            return
        if export["status"] == "completed" and self.client.download(export) is not None:
            self._waiting.remove(export_id)
            self.fetched.add(export_id)
        elif export["status"] == "failed" and (again := self.client.retry(export_id)) is not None:
            self.retried += 1
            self._waiting.remove(export_id)
            self._waiting.add(again)
