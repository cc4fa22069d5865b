"""Tasks that write down what happens to them, on Rowferry's own Celery app."""

import os
import time
from pathlib import Path

from celery import shared_task

from rowferry.config.celery import app

app.conf.worker_soft_shutdown_timeout = float(os.environ.get("SOFT_SHUTDOWN", "20"))


@shared_task(name="scratch.nap")
def nap(log: str, seconds: float) -> None:
    """Write `start PID`, sleep, write `end PID`."""
    note(log, "start")
    time.sleep(seconds)
    note(log, "end")


def note(log: str, what: str) -> None:
    with Path(log).open("a") as lines:
        lines.write(f"{what} {os.getpid()}\n")


def hello(environ: dict[str, object], start_response: object) -> list[bytes]:
    """The smallest web application."""
    start_response("200 OK", [("Content-Type", "text/plain")])  # type: ignore[operator]
    return [b"hello"]
