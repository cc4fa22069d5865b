"""Runs a command beside servers of its own:
`python -m tests.services --database mariadb --broker rabbitmq pytest tests/exports`.

Without an option there is PostgreSQL. The servers end with the command, however it ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tests.services import mariadb, postgresql, rabbitmq, redis, s3, smtp
from tests.services.s3 import CREDENTIALS

Start = Callable[[], AbstractContextManager[Mapping[str, str]]]


def setting(name: str, server: Callable[[], AbstractContextManager[str]], **more: str) -> Start:
    """The server, as the environment that a program needs to use it."""

    @contextmanager
    def start() -> Iterator[Mapping[str, str]]:
        with server() as url:
            yield {name: url, **more}

    return start


@contextmanager
def mail_address() -> Iterator[str]:
    with smtp() as (url, _):
        yield url


SERVERS: dict[str, dict[str, Start]] = {
    "database": {
        "postgresql": setting("DATABASE_URL", postgresql),
        "mariadb": setting("DATABASE_URL", mariadb),
    },
    "broker": {"redis": setting("BROKER_URL", redis), "rabbitmq": setting("BROKER_URL", rabbitmq)},
    "storage": {"s3": setting("STORAGE_URL", s3, **CREDENTIALS)},
    "mail": {"smtp": setting("EMAIL_URL", mail_address)},
}


def main(arguments: Sequence[str]) -> int:
    """Run the command with the servers' addresses in its environment; returns its exit status."""
    asked = vars(parser().parse_args(arguments))
    command = asked.pop("command")
    if not any(asked.values()):
        asked["database"] = "postgresql"
    with ExitStack() as stack:
        added: dict[str, str] = {}
        for part, name in asked.items():
            if name:
                added.update(stack.enter_context(SERVERS[part][name]()))
        return subprocess.run(command, env=environment(added), check=False).returncode


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    for part, servers in SERVERS.items():
        found.add_argument(f"--{part}", choices=list(servers))
    found.add_argument("command", nargs=argparse.REMAINDER)
    return found


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """The command finds the programs of this environment, and this folder's packages."""
    paths = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(Path.cwd())}
    joined = {name: os.pathsep.join(filter(None, [first, os.environ.get(name)])) for name, first in paths.items()}
    return {**os.environ, **joined, **added}


def exit_on_signal(signum: int, _: FrameType | None) -> None:
    """Being told to end must not leave servers behind."""
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, exit_on_signal)
    raise SystemExit(main(sys.argv[1:]))
