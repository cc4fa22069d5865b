"""What `rowferry demo` shows. Imported by name only, once Django is set up."""

from __future__ import annotations

import io
import time
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from rowferry.cli.clients.api import ApiClient
from rowferry.cli.commands import accounts, maintenance
from rowferry.cli.output import echo_err, progress, size
from rowferry.cli.output_file import open_output
from rowferry.exports.errors import Unavailable
from rowferry.exports.translation import count_of

NAME = PASSWORD = "demo"  # noqa: S105  (a login that is printed)
SEED = 1
START_WITHIN = 60.0
"""Seconds for the web server to answer for the first time."""
BODY = {"format": "excel", "async": True}


def prepare(assets: int, tickets: int) -> str:
    """Data where there is none, and somebody to export it; returns their token."""
    maintenance.add_rows(
        0 if _has_rows("assets.Asset") else assets, 0 if _has_rows("tickets.Ticket") else tickets, SEED
    )
    accounts.save(NAME, accounts.AccountSettings(email=f"{NAME}@localhost", password=PASSWORD, permissions=True))
    token = io.StringIO()
    call_command("token", NAME, stdout=token)
    return token.getvalue().strip()


def visit(url: str, token: str) -> None:
    """Export the assets as anybody would, through the API and the queue, and say where the file is."""
    server = ApiClient(url, token)
    _wait_until_ready(server)
    folder = Path(settings.DATA_DIR) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with open_output(str(folder), force=True) as output_file:
        with progress() as on_progress:
            file = server.make("assets", BODY, output_file.stream, on_progress)
        path = output_file.commit(file.filename)
    echo_err(f"\nFile    {path}")
    echo_err(f"        {count_of(file.export['exported_items'], 'row')}, {size(file.size)}, sha256 {file.sha256}")
    echo_err(f"Page    {url}/")
    echo_err(f"Login   {NAME}, password {PASSWORD}\n")


def _has_rows(model: str) -> bool:
    return bool(apps.get_model(model)._default_manager.exists())


def _wait_until_ready(server: ApiClient) -> None:
    """Until the web server answers."""
    deadline = time.monotonic() + START_WITHIN
    while True:
        try:
            server.resources()
            return
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
