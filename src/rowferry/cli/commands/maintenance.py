"""Commands that set up an installation and keep it: database, data, people, checks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import manage, with_django
from rowferry.cli.output import echo_err

ASSETS, TICKETS = 100_000, 50_000

Count = Annotated[int | None, typer.Option(min=0, metavar="N", help="How many to add.", show_default=False)]
Name = Annotated[str, typer.Argument(help="User name.")]
YesNo = Annotated[bool | None, typer.Option(show_default=False)]


def migrate() -> None:
    """Create the tables of the database, or bring them up to date."""
    for database in with_django("django.conf").settings.DATABASES.values():
        if database["ENGINE"].endswith("sqlite3"):
            Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    manage("migrate", interactive=False, stdout=sys.stderr)


def seed(
    assets: Count = None,
    tickets: Count = None,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed makes the same rows.")] = 1,
) -> None:
    """Add made-up assets and tickets: 100,000 and 50,000, unless one of the two is named."""
    use_defaults = assets is None and tickets is None
    counts = (ASSETS, TICKETS) if use_defaults else (assets or 0, tickets or 0)
    add_rows(*counts, seed)


def add_rows(assets: int, tickets: int, seed: int) -> None:
    """Made-up rows; tickets after assets, whose people they share."""
    if assets:
        manage("seed_assets", assets=assets, seed=seed, stdout=sys.stderr)
    if tickets:
        manage("seed_tickets", tickets=tickets, seed=seed, stdout=sys.stderr)


def user(
    name: Name,
    email: Annotated[str | None, typer.Option(show_default=False)] = None,
    password: Annotated[str | None, typer.Option(show_default=False)] = None,
    staff: YesNo = None,
    superuser: YesNo = None,
    permissions: Annotated[
        bool | None,
        typer.Option(help="The right to export every resource; a new user has it unless refused.", show_default=False),
    ] = None,
) -> None:
    """Create a person, or change one; what is not named stays as it is."""
    accounts = with_django("rowferry.cli.commands.accounts")
    account_settings = accounts.AccountSettings(
        email=email, password=password, staff=staff, superuser=superuser, permissions=permissions
    )
    for sentence in accounts.save(name, account_settings):
        echo_err(sentence)


def token(name: Name) -> None:
    """Print a new bearer token for the API, and nothing else."""
    manage("token", name)


def cleanup() -> None:
    """Remove the files of expired exports, and files that no export needs."""
    manage("cleanup")


def doctor(
    wait: Annotated[float, typer.Option(min=0, metavar="S", help="Seconds to wait for a worker's answer.")] = 5,
    json: options.Json = False,
) -> None:
    """Check database, broker, storage, mail, processes and settings; exit code 1 if something is wrong."""
    manage("doctor", wait=wait, json=json)
