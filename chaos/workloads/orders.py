"""A client that creates exports, polls, downloads and checks them while processes are killed."""

from __future__ import annotations

import threading
import time

from chaos.client import Client
from chaos.file_rows import FORMATS

MAX_PENDING = 12
"""Exports that one workload waits for at a time."""
POLL_INTERVAL = 0.1


class ExportWorkload(threading.Thread):
    """Orders at least `orders`, one every `pause` seconds, and more until `may_stop` is set; retries what failed."""

    def __init__(self, client: Client, orders: int, pause: float) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.orders, self.pause = orders, pause
        self.may_stop = threading.Event()
        self.created: list[str] = []
        self.downloaded: set[str] = set()
        self.retried = 0
        self.error: Exception | None = None
        self._pending: set[str] = set()

    def run(self) -> None:
        try:
            self._run_until_done()
        except Exception as fault:  # whatever it is, the main thread has to hear of it
            self.error = fault

    @property
    def missing(self) -> set[str]:
        """What was ordered and not had."""
        return set(self._pending)

    def has_created(self, count: int) -> bool:
        return len(self.created) >= count or not self.is_alive()

    def _run_until_done(self) -> None:
        last = 0.0
        while self._pending or not self._has_enough:
            if not self._has_enough and len(self._pending) < MAX_PENDING and time.monotonic() - last >= self.pause:
                last = time.monotonic()
                self._create_export()
            for export_id in list(self._pending):
                self._poll(export_id)
            time.sleep(POLL_INTERVAL)

    @property
    def _has_enough(self) -> bool:
        return len(self.created) >= self.orders and self.may_stop.is_set()

    def _create_export(self) -> None:
        number = len(self.created)
        export_id = self.client.create_export(FORMATS[number % len(FORMATS)], f"order {number}")
        self.created.append(export_id)
        self._pending.add(export_id)

    def _poll(self, export_id: str) -> None:
        export = self.client.get_export(export_id)
        if export is None:
            return
        if export["status"] == "completed" and self.client.download(export) is not None:
            self._pending.remove(export_id)
            self.downloaded.add(export_id)
        elif export["status"] == "failed" and (again := self.client.retry(export_id)) is not None:
            self.retried += 1
            self._pending.remove(export_id)
            self._pending.add(again)
