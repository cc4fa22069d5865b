"""Commands that run an installation: the web server, workers, and the scheduler, together or each by itself."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import manage, with_django
from rowferry.cli.output import echo_err
from rowferry.exports.errors import Conflict, Unavailable

HOST, PORT = "127.0.0.1", 8000


def up(host: options.Host = HOST, port: options.Port = PORT) -> None:
    """Web server, worker and scheduler in one, until Ctrl-C or SIGTERM."""
    check_ready(host, port)
    echo_err(f"Rowferry serves at {address(host, port)} until Ctrl-C.")
    raise typer.Exit(supervise(host, port))


def web(host: options.Host = HOST, port: options.Port = PORT) -> None:
    """The web server alone."""
    _exec_command(_processes().web_command(host, port))


def worker() -> None:
    """The processes that make queued exports."""
    _exec_command(_processes().worker_command())


def scheduler() -> None:
    """The process that retries, sends mail, expires and tidies."""
    _exec_command(_processes().scheduler_command())


def check_ready(host: str, port: int) -> None:
    """Conflict: the database is not migrated. Unavailable: somebody else listens there."""
    try:
        manage("migrate", check_unapplied=True, verbosity=0)
    except SystemExit:
        raise Conflict("The database is not up to date: run `rowferry migrate` first.") from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"Cannot listen on {host}, port {port}: {error.strerror}. --port chooses another."
            raise Unavailable(message) from None


def supervise(host: str, port: int) -> int:
    """Run the three until a signal comes; returns the exit code. Unless SITE_URL is set, links in mails lead here."""
    os.environ.setdefault("SITE_URL", address(host, port))
    processes = _processes()
    commands = {
        "web": processes.web_command(host, port),
        "worker": processes.worker_command(),
        "scheduler": processes.scheduler_command(),
    }
    return int(processes.supervise(commands))


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the page."""
    name = {"0.0.0.0": HOST, "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _processes() -> Any:
    return with_django("rowferry.runtime.supervisor")


def _exec_command(command: list[str]) -> None:
    """Give this process to the command, so that a supervisor's signals reach it directly."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606
