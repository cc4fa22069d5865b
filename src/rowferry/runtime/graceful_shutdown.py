"""How a worker stops: it lets its exports finish for a while, then hands over what is left, at once.

Celery's own way leaves the row of an export it cuts off with a lease that nobody keeps, so the next worker would wait
for its end. It also sleeps through its whole soft shutdown, even when the last task has ended; and with Redis and
RabbitMQ it does not hear of a task's end meanwhile, because its ear is the loop that the signal has interrupted. The
rows know.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from importlib import import_module
from types import ModuleType
from typing import Any

from celery.worker import state
from django.apps import apps
from django.db import Error, connection

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.2
FAREWELL = 2.0
"""Seconds in which a process notices that its export is another's now, and removes what it has written."""


def take_over(sender: Any, **_: Any) -> None:
    """What Celery tells us when a worker starts: the way it waits at its end is ours."""
    sender.wait_for_soft_shutdown = lambda: stop(sender)


def stop(worker: Any) -> None:
    """Wait for the running exports, for `worker_soft_shutdown_timeout` seconds at most; then hand them over."""
    pids: Collection[int] = worker.pool.info.get("processes", ())
    _wait(worker.app.conf.worker_soft_shutdown_timeout, lambda: _is_busy(pids))
    if _engine() is not None and _is_busy(pids):
        _ask_engine(lambda engine: engine.release_leases(pids), None)
        _wait(FAREWELL, lambda: bool(state.active_requests))
    connection.close()


def _is_busy(pids: Collection[int]) -> bool:
    """Whether a task runs, by Celery, and makes an export, by the rows; what the rows cannot say, Celery knows."""
    return bool(state.active_requests) and bool(_ask_engine(lambda engine: engine.at_work(pids), True))


def _ask_engine(ask: Callable[[ModuleType], object], default: object) -> object:
    """What the engine says; a stop goes on without it, and then the leases end by themselves."""
    engine = _engine()
    if engine is None:
        return default
    try:
        return ask(engine)
    except Error:
        logger.warning("A worker that stops does not reach the database.", exc_info=True)
        return default


def _engine() -> ModuleType | None:
    """The engine's door to the queue. By name: it can be loaded only where its app is installed."""
    return import_module("rowferry.exports.tasks") if apps.is_installed("rowferry.exports") else None


def _wait(timeout: float, is_busy: Callable[[], bool]) -> None:
    deadline = time.monotonic() + timeout
    while is_busy() and (remaining := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL_INTERVAL, remaining))
