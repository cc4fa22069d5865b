"""A server process: its own user, folder and port; ready before it is used, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.services.packages import is_root

START_SECONDS = 90
"""A busy machine starts RabbitMQ in half a minute."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> Callable[[], bool]:
    """Whether something listens on the port."""

    def is_open() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return is_open


def identity(user: str | None) -> dict[str, object]:
    """Who runs the server, as arguments of subprocess; nobody else if we are nobody special ourselves."""
    return {"user": user, "group": user, "extra_groups": []} if user and is_root() else {}


def run_as(user: str, command: Sequence[object]) -> None:
    """Run a program that prepares the server, as the server's user."""
    subprocess.run(list(map(str, command)), check=True, cwd="/", stdout=subprocess.DEVNULL, **identity(user))


@contextmanager
def own_folder(name: str, user: str | None = None) -> Iterator[Path]:
    """A temporary folder that belongs to the server's user."""
    with tempfile.TemporaryDirectory(prefix=f"rowferry-{name}-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        if user and is_root():
            shutil.chown(folder, user, user)
        yield folder


@contextmanager
def running(
    command: Sequence[object],
    folder: Path,
    ready: Callable[[], bool],
    *,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """The server's process, once it is ready. It has a group of its own: Ctrl-C comes to us, and we stop it."""
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            list(map(str, command)),
            cwd="/" if user else None,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            **identity(user),
        )
    try:
        wait_until(ready, server, folder / "log")
        yield server
    finally:
        stop_server(server, stop)


def wait_until(ready: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start: {server.args}\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def stop_server(server: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    """Ask the server to end, then end its whole group."""
    server.send_signal(stop)
    with suppress(subprocess.TimeoutExpired):
        server.wait(timeout=20)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
