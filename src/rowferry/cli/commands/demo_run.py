"""What `rowferry demo` shows. Imported by name only, once Django is set up."""

from __future__ import annotations

import io
import time
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from rowferry.cli.clients.api import Server
from rowferry.cli.commands import accounts, maintenance
from rowferry.cli.output import progress, say, size
from rowferry.cli.output_file import landing
from rowferry.exports.errors import Unavailable

NAME = PASSWORD = "demo"  # noqa: S105  (a login that is printed)
SEED = 1
START_WITHIN = 60.0
"""Seconds for the web server to answer for the first time."""
BODY = {"format": "excel", "async": True}


def prepare(assets: int, tickets: int) -> str:
    """Data where there is none, and somebody to export it; returns their token."""
    maintenance.add_rows(0 if _any("assets.Asset") else assets, 0 if _any("tickets.Ticket") else tickets, SEED)
    accounts.save(NAME, accounts.Wishes(email=f"{NAME}@localhost", password=PASSWORD, permissions=True))
    token = io.StringIO()
    call_command("token", NAME, stdout=token)
    return token.getvalue().strip()


def visit(url: str, token: str) -> None:
    """Export the assets as anybody would, through the API and the queue, and say where the file is."""
    server = Server(url, token)
    _await(server)
    folder = Path(settings.DATA_DIR) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with landing(str(folder)) as ground:
        with progress() as show:
            fetched = server.make("assets", BODY, ground.stream, show)
        path = ground.settle(fetched.filename)
    say(f"\nFile    {path}")
    say(f"        {fetched.export['exported_items']:,} rows, {size(fetched.size)}, sha256 {fetched.sha256}")
    say(f"Page    {url}/")
    say(f"Login   {NAME}, password {PASSWORD}\n")


def _any(model: str) -> bool:
    return bool(apps.get_model(model)._default_manager.exists())


def _await(server: Server) -> None:
    """Until the web server answers."""
    until = time.monotonic() + START_WITHIN
    while True:
        try:
            server.resources()
            return
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
