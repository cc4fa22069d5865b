"""`rowferry audit …`: the log of all exports, for an auditor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import with_django
from rowferry.cli.error_handling import ErrorHandlingGroup
from rowferry.cli.output import echo_err, print_json, print_table
from rowferry.cli.output_file import display_name, open_output

app = typer.Typer(cls=ErrorHandlingGroup, no_args_is_help=True, help="Check the log of exports; give it out.")

NOT_AS_WRITTEN = 3
"""Exit code: it was checked, and something is wrong with it."""


@app.command()
def verify(
    export: Annotated[str | None, typer.Option(metavar="ID", show_default=False, help="Only this one.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="What `audit export` wrote, without a database."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Find what was changed, deleted, put in or moved in the log. Exit code 3 if there is any."""
    if export and file:
        raise typer.BadParameter("--export looks into the database, --file into a file: one of them.")
    verdict = _verify_file(file) if file else with_django("rowferry.exports.audit.log").verify(export)
    findings = [{name: getattr(finding, name) for name in finding.__slots__} for finding in verdict.findings]
    echo_err(
        f"{verdict.events:,} events of {verdict.chains:,} exports and {verdict.anchors:,} anchors checked: "
        + (f"{len(findings):,} things are wrong." if findings else "all is as it was written.")
    )
    if as_json:
        print_json({name: getattr(verdict, name) for name in ("chains", "events", "anchors")} | {"findings": findings})
    elif findings:
        print_table(("What", "Export or day", "Event", "Why"), [_row(finding) for finding in findings])
    if findings:
        raise typer.Exit(NOT_AS_WRITTEN)


@app.command()
def export(
    output: options.Output = "-",
    date_from: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day (UTC).")] = None,
    date_to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day (UTC).")] = None,
    force: options.Force = False,
) -> None:
    """The log with its hashes, as NDJSON; to standard output unless --output says where."""
    log_lines = with_django("rowferry.exports.audit.log").lines(date_from, date_to)
    with open_output(output, force=force) as output_file:
        for line in log_lines:
            output_file.stream.write(line)
        echo_err(f"{display_name(output_file.commit('audit.ndjson'))}: the log.")


def _verify_file(file: Path) -> Any:
    with file.open("rb") as lines:
        return with_django("rowferry.exports.audit.log").verify_lines(lines)


def _row(finding: dict[str, Any]) -> list[Any]:
    return [finding["what"], finding["export_id"] or finding["day"], finding["sequence"], finding["detail"]]
