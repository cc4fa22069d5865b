"""`rowferry demo`: all of it, once: data, people, page, queue, file, proof."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import with_django
from rowferry.cli.commands import maintenance, processes
from rowferry.cli.error_handling import error_lines
from rowferry.cli.output import echo_err

Count = Annotated[int, typer.Option(min=0, metavar="N", help="How many to make, if there are none.")]
JOIN_TIMEOUT = 5.0
"""Seconds that a running download has to notice that the server is going, and to clear its bar away."""


def demo(
    host: options.Host = processes.HOST,
    port: options.Port = processes.PORT,
    assets: Count = maintenance.ASSETS,
    tickets: Count = maintenance.TICKETS,
    once: Annotated[bool, typer.Option("--once", help="End after the export.")] = False,
) -> None:
    """Set up an example, export it through the real queue, and go on serving until Ctrl-C."""
    maintenance.migrate()
    processes.check_ready(host, port)
    token = with_django("rowferry.cli.commands.demo_run").prepare(assets, tickets)
    visitor = Visitor(processes.address(host, port), token, once)
    visitor.start()
    code = processes.supervise(host, port)
    visitor.join(JOIN_TIMEOUT)
    raise typer.Exit(code or (0 if visitor.succeeded else 1))


class Visitor(threading.Thread):
    """The one who exports: in a thread, since the main one has to look after the processes."""

    def __init__(self, url: str, token: str, once: bool) -> None:
        super().__init__(daemon=True)
        self.succeeded = False
        self._url = url
        self._token = token
        self._once = once

    def run(self) -> None:
        try:
            with_django("rowferry.cli.commands.demo_run").visit(self._url, self._token)
            self.succeeded = True
        except Exception as error:
            for line in error_lines(error) or [f"rowferry: {error!r}"]:
                echo_err(line)
        if self._once or not self.succeeded:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            echo_err("Serving until Ctrl-C.")
