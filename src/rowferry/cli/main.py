"""The `rowferry` command: each command, by name. Nothing imported here needs Django or httpx (see `places`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from rowferry import __version__
from rowferry.cli.commands import audit, demo, export, exports, maintenance, processes, resources, verify
from rowferry.cli.error_handling import ErrorHandlingGroup

EXPORTS, RUNNING, UPKEEP = "Exports", "Running", "Setting up and keeping"

app = typer.Typer(
    name="rowferry",
    cls=ErrorHandlingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The export you can prove: rows out of a database as files that are complete, checked and audited.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong command line, 3 not as it should be. "
    "Data goes to standard output, talk to standard error.",
)

app.command(rich_help_panel=EXPORTS)(export.export)
app.add_typer(exports.app, name="exports", rich_help_panel=EXPORTS)
app.add_typer(audit.app, name="audit", rich_help_panel=EXPORTS)
app.command(rich_help_panel=EXPORTS)(resources.resources)
app.command(rich_help_panel=EXPORTS)(verify.verify)
command: Callable[..., Any]
for command in (processes.up, processes.web, processes.worker, processes.scheduler, demo.demo):
    app.command(rich_help_panel=RUNNING)(command)
app.command("tick", hidden=True)(processes.scheduler)
for command in (
    maintenance.migrate,
    maintenance.seed,
    maintenance.user,
    maintenance.token,
    maintenance.cleanup,
    maintenance.doctor,
):
    app.command(rich_help_panel=UPKEEP)(command)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def rowferry(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """The entry point."""
    app()
