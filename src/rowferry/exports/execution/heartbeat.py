"""The thread that keeps a worker's lease while the rows go through, on a connection of its own."""

from __future__ import annotations

import logging
import threading
import time
from contextvars import copy_context
from types import TracebackType
from typing import Self

from django.db import Error, connection

from rowferry.exports import conf, lifecycle
from rowferry.exports.errors import Cancelled, DeadlinePassed, FenceLost, Stopped

logger = logging.getLogger(__name__)


class Heartbeat:
    """Beats every ROWFERRY_HEARTBEAT seconds until the deadline: after it, a hung query must not hold the lease for
    ever.

    The row loop sets `rows` and calls `check` at each batch, which raises whatever there is to stop for.
    """

    def __init__(self, claim: lifecycle.Claim) -> None:
        self.claim = claim
        self.rows = 0
        self.deadline = time.monotonic() + conf.seconds("TIME_LIMIT").total_seconds()
        self._stop: Stopped | None = None
        self._ended = threading.Event()
        # In a copy of this context: what the thread logs names the export as well.
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(5)

    def check(self) -> None:
        """DeadlinePassed, FenceLost or Cancelled, if it is so."""
        if self._stop is not None:
            raise self._stop
        if time.monotonic() > self.deadline:
            limit = conf.seconds("TIME_LIMIT").total_seconds()
            raise DeadlinePassed(f"It took longer than the {limit:g} seconds that one try may take.")

    def _run(self) -> None:
        pause = conf.seconds("HEARTBEAT").total_seconds()
        try:
            while not self._ended.wait(pause) and self._stop is None and time.monotonic() < self.deadline:
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        try:
            lifecycle.beat(self.claim, self.rows)
        except (FenceLost, Cancelled) as stop:
            self._stop = stop
        except Error:
            logger.warning("Export %s: a heartbeat did not reach the database.", self.claim.export.pk, exc_info=True)
            connection.close()  # the next beat connects anew
