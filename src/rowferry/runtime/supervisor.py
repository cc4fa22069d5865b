"""The processes of one installation (web, worker, scheduler): how each is started, and what keeps them running."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from django.conf import settings

from rowferry.exports import conf

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
POLL_INTERVAL = 0.2
HAND_OVER = 5.0
"""Seconds beyond ROWFERRY_GRACE, so that a worker can hand over what it did not finish."""
LAST = 5.0
"""Seconds for the process that ends last."""
PR_SET_PDEATHSIG = 1


def web_command(host: str, port: int) -> list[str]:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [sys.executable, "-m", "gunicorn", "--config", "python:rowferry.config.gunicorn", "--bind", address]


def worker_command() -> list[str]:
    celery = [
        sys.executable,
        "-m",
        "rowferry.runtime.celery_worker",
        "--app=rowferry.config.celery",
        "--quiet",
        "--skip-checks",
    ]
    pool = ["--pool=prefork", f"--concurrency={settings.ROWFERRY_WORKERS}", "--queues=exports"]
    return [*celery, "worker", *pool, "--without-mingle", "--without-gossip", "--without-heartbeat"]


def scheduler_command() -> list[str]:
    return [sys.executable, "-m", "django", "scheduler", f"--settings={settings.SETTINGS_MODULE}"]


@dataclass
class Child:
    """One command and the process that runs it now, if any."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    start_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start the command in a process group of its own: Ctrl-C in a terminal reaches us only, and we pass it on."""
        self.started = time.monotonic()
        try:
            self.process = subprocess.Popen(self.command, process_group=0, preexec_fn=_parent_death_hook())  # noqa: S603
        except OSError as error:
            self._pause(str(error))

    def check(self) -> None:
        """Start it when it is due; when it has died, say so and have it started after a pause that grows each time."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self.start()
        elif (code := self.process.poll()) is not None:
            self.send(signal.SIGKILL)
            self.process = None
            self._pause(f"exit code {code}")

    def _pause(self, reason: str) -> None:
        now = time.monotonic()
        if now - self.started >= STEADY_AFTER:
            self.pause = FIRST_PAUSE
        logger.error("%s does not run (%s); starting it again in %g s.", self.name, reason, self.pause)
        self.start_at = now + self.pause
        self.pause = min(2 * self.pause, LONGEST_PAUSE)

    def send(self, number: int) -> None:
        """Send a signal: SIGKILL to all that the command started, others to the first, who tells its own."""
        if self.process is not None:
            send_signal: Callable[[int, int], None] = os.killpg if number == signal.SIGKILL else os.kill
            with suppress(ProcessLookupError):
                send_signal(self.process.pid, number)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


def supervise(commands: dict[str, list[str]]) -> int:
    """Run the commands (by name) until SIGTERM or SIGINT comes; start one again that ends by itself.

    Then all but the last one named get SIGTERM, and ROWFERRY_GRACE and HAND_OVER to end; then the last one, which
    notifies workers of what was handed over and sends the mails of what was finished. A second signal cuts that short.
    Returns the exit code: 0 when all ended in time, 1 when one had to be killed. Call it from the main thread. When
    this process is killed, Linux kills the rest.
    """
    grace = conf.seconds("GRACE").total_seconds() + HAND_OVER
    children = [Child(name, command) for name, command in commands.items()]
    with _signals() as received:
        while not received:
            for child in children:
                child.check()
            time.sleep(POLL_INTERVAL)
        return _end(children, received, grace)


def _end(children: list[Child], received: list[int], grace: float) -> int:
    _stop(children[:-1], received, grace)
    _stop(children[-1:], received, LAST if children[:-1] else grace)
    still_running = [child for child in children if child.runs]
    for child in still_running:
        logger.error("%s did not end in time; killed.", child.name)
    for child in children:
        child.send(signal.SIGKILL)
    return 1 if still_running else 0


def _stop(children: list[Child], received: list[int], seconds: float) -> None:
    """Tell them, and wait until they have ended, the time is over, or a second signal has come."""
    for child in children:
        child.send(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while any(child.runs for child in children) and time.monotonic() < deadline and len(received) == 1:
        time.sleep(POLL_INTERVAL)


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Each SIGTERM and SIGINT that came. A list, since a handler may not touch a lock the main thread may hold."""
    received: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)
    old_handlers = {
        number: signal.signal(number, lambda signal_number, _frame: received.append(signal_number))
        for number in numbers
    }
    try:
        yield received
    finally:
        for number, handler in old_handlers.items():
            signal.signal(number, handler)


def _parent_death_hook() -> Callable[[], None]:
    """What a child calls before it becomes its command: Linux is to kill it when we die. Elsewhere nothing."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return set_death_signal
