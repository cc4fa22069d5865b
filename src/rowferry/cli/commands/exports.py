"""`rowferry exports …`: what has been exported: the history, the log, the files."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import open_client
from rowferry.cli.error_handling import ErrorHandlingGroup
from rowferry.cli.output import echo_err, print_facts, print_json, print_table, progress, size
from rowferry.cli.output_file import check_manifest_output, display_name, open_output, write_manifest

app = typer.Typer(
    cls=ErrorHandlingGroup, no_args_is_help=True, help="List, show, download, retry, cancel, delete exports."
)

OptionalText = Annotated[str | None, typer.Option(show_default=False)]
Page = Annotated[int, typer.Option(min=1, help="Page, from 1.")]
HISTORY = ("export_id", "created_at", "resource_type", "format", "status", "exported_items", "file_size")
LOG = ("created_at", "event", "message", "processed_items", "total_items", "actor", "on_behalf_of")


@app.command(name="list")
def list_(
    status: OptionalText = None,
    resource: OptionalText = None,
    format: OptionalText = None,  # noqa: A002  (the name of the option)
    date_from: OptionalText = None,
    date_to: OptionalText = None,
    page: Page = 1,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Exports a page.")] = 20,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
    as_json: options.Json = False,
) -> None:
    """Exports, newest first."""
    filters = _query(status=status, resource_type=resource, format=format, date_from=date_from, date_to=date_to)
    query = filters | _query(page=page, limit=limit)
    _print_page(open_client(server, token, user).history(query), HISTORY, as_json)


@app.command()
def show(
    export_id: options.ExportId,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
    as_json: options.Json = False,
) -> None:
    """All that is known of one export."""
    export = open_client(server, token, user).find(export_id)
    (print_json if as_json else print_facts)(export)


@app.command()
def logs(
    export_id: options.ExportId,
    event: OptionalText = None,
    page: Page = 1,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Events a page.")] = 500,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
    as_json: options.Json = False,
) -> None:
    """What happened to an export, oldest first."""
    query = _query(event=event, page=page, limit=limit)
    _print_page(open_client(server, token, user).log(export_id, query), LOG, as_json)


@app.command()
def download(
    export_id: options.ExportId,
    output: options.Output = None,
    manifest: options.WithManifest = False,
    force: options.Force = False,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
) -> None:
    """The file of a completed export, its checksum compared.

    Without --output it gets its own name in the current folder, and that name is printed.
    """
    check_manifest_output(output, manifest)
    client = open_client(server, token, user)
    with open_output(output, force=force, with_manifest=manifest) as output_file:
        with progress() as on_progress:
            file = client.fetch(export_id, output_file.stream, on_progress)
        path = output_file.commit(file.filename)
    if manifest:
        write_manifest(path, client.manifest(export_id))
    echo_err(f"{display_name(path)}: {size(file.size)}, sha256 {file.sha256}")
    if output is None:
        typer.echo(path)


@app.command()
def retry(
    export_id: options.ExportId,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
    as_json: options.Json = False,
) -> None:
    """Queue a failed or cancelled export anew; prints the id of the new one."""
    new_export = open_client(server, token, user).retry(export_id)
    echo_err("Queued again, as a new export.")
    print_json(new_export) if as_json else typer.echo(new_export["export_id"])


@app.command()
def cancel(
    export_id: options.ExportId,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
) -> None:
    """End a waiting or running export."""
    export = open_client(server, token, user).cancel(export_id)
    echo_err("Cancelled." if export["status"] == "cancelled" else "It ends at its next batch.")


@app.command()
def delete(
    export_id: options.ExportId,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
) -> None:
    """Remove the file of an export; its log stays."""
    open_client(server, token, user).delete(export_id)
    echo_err("The file is deleted; the log stays.")


def _query(**fields: Any) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if value is not None}


def _print_page(page: dict[str, Any], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(page)
        return
    print_table(columns, [[_cell(item.get(name)) for name in columns] for item in page["data"]])
    pagination = page["pagination"]
    echo_err(f"Page {pagination['current_page']} of {pagination['last_page']}; {pagination['total']:,} in all.")


def _cell(value: Any) -> Any:
    """Of somebody who did something, the name."""
    return value["name"] if isinstance(value, dict) else value
