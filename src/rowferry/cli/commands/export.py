"""`rowferry export`: one file, made here or at a server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import ExportClient, open_client
from rowferry.cli.output import echo_err, print_json, print_table, progress, size
from rowferry.cli.output_file import STANDARD_OUTPUT, check_manifest_output, display_name, open_output, write_manifest
from rowferry.exports.translation import count_of


class SortOrder(StrEnum):
    """Smallest first, or largest first."""

    ASC = "asc"
    DESC = "desc"


class Headers(StrEnum):
    """What the header row says."""

    NAMES = "names"
    LABELS = "labels"


Pairs = list[str]
Format = Annotated[str, typer.Option("--format", "-f", help="csv, excel, json, …: see `rowferry resources`.")]
Filter = Annotated[
    Pairs, typer.Option("--filter", metavar="K=V", help="Condition; K:=null: rows without a value; a key twice: any.")
]
Columns = Annotated[str | None, typer.Option(metavar="A,B", help="Columns, in this order.")]
SortBy = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column to sort by.")]
Order = Annotated[SortOrder | None, typer.Option(help="Smallest or largest first.")]
HeaderRow = Annotated[Headers | None, typer.Option(help="Header row of names or labels.")]
TimeZone = Annotated[str | None, typer.Option(metavar="Z", help="Zone of times, and of days in filters; else UTC.")]
Nested = Annotated[bool, typer.Option("--nested", help="JSON: readable values nested beside their ids.")]
Option = Annotated[Pairs, typer.Option("--option", metavar="K=V", help="Option of the format, such as delimiter=;")]
Queue = Annotated[bool, typer.Option("--queue", help="Let a worker make it, and wait.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would hold.")]


def export(
    resource: Annotated[str, typer.Argument(help="What to export: see `rowferry resources`.")],
    format: Format,  # noqa: A002  (the name of the option)
    filter: Filter = [],  # noqa: A002, B006  (as above; typer copies the default)
    columns: Columns = None,
    sort_by: SortBy = None,
    sort_order: Order = None,
    headers: HeaderRow = None,
    time_zone: TimeZone = None,
    nested: Nested = False,
    option: Option = [],  # noqa: B006
    output: options.Output = None,
    queue: Queue = False,
    dry_run: DryRun = False,
    manifest: options.WithManifest = False,
    force: options.Force = False,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
    as_json: options.Json = False,
) -> None:
    """Export rows as a file.

    Without --output the file gets its own name in the current folder, and that name is printed.
    """
    if as_json and output == STANDARD_OUTPUT:
        raise typer.BadParameter("Standard output takes the file or the JSON, not both.")
    check_manifest_output(output, manifest)
    fields: dict[str, Any] = {
        "columns": [name.strip() for name in columns.split(",")] if columns is not None else None,
        "filters": group_pairs("--filter", filter, takes_json=True),
        "sort_by": sort_by,
        "sort_order": sort_order,
        "headers": headers,
        "time_zone": time_zone,
        "nested": nested or None,
        format: {name: _parse_boolean(value) for name, value in group_pairs("--option", option).items()},
        "async": queue or None,
    }
    body = {"format": format} | {name: value for name, value in fields.items() if value not in (None, {})}
    client = open_client(server, token, user)
    if dry_run:
        _preview(client, resource, body, as_json)
    else:
        _make(client, resource, body, output, as_json, manifest, force)


def group_pairs(option: str, pairs: Iterable[str], *, takes_json: bool = False) -> dict[str, Any]:
    """`k=v` by key, `k:=json` where that is taken; a key that comes twice has a list."""
    grouped: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{option} wants NAME=VALUE, not {pair!r}.")
        given: Any = value
        if takes_json and name.endswith(":"):
            name, given = name.removesuffix(":"), _parse_json(option, pair, value)
        grouped[name] = given if name not in grouped else [*_as_list(grouped[name]), *_as_list(given)]
    return grouped


def _parse_json(option: str, pair: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        raise typer.BadParameter(f"{option} wants JSON behind :=, such as NAME:=null, not {pair!r}.") from None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parse_boolean(value: Any) -> Any:
    """Options of formats are text or true and false; a shell has only text."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _make(
    client: ExportClient,
    resource: str,
    body: dict[str, Any],
    output: str | None,
    as_json: bool,
    manifest: bool,
    force: bool,
) -> None:
    with open_output(output, force=force, with_manifest=manifest) as output_file:
        with progress() as on_progress:
            file = client.make(resource, body, output_file.stream, on_progress)
        path = output_file.commit(file.filename)
    if manifest:
        write_manifest(path, client.manifest(file.export["export_id"]))
    rows = file.export["exported_items"]
    left_out = file.export["failed_items"]
    echo_err(f"{display_name(path)}: {count_of(rows, 'row')}, {size(file.size)}, sha256 {file.sha256}")
    if left_out:
        export_id = file.export["export_id"]
        echo_err(f"{count_of(left_out, 'row')} could not be produced: `rowferry exports logs {export_id}` names them.")
    if as_json:
        print_json({**file.export, "path": path})
    elif output is None:
        typer.echo(path)


def _preview(client: ExportClient, resource: str, body: dict[str, Any], as_json: bool) -> None:
    preview = client.preview(resource, body)
    for warning in preview["warnings"]:
        echo_err(f"Note: {warning}")
    if as_json:
        print_json(preview)
        return
    size_text = size(preview["estimated_file_size"])
    echo_err(
        f"{count_of(preview['total_items'], 'row')}, about {size_text}; {preview['mode']}: {preview['mode_reason']}."
    )
    rows = preview["preview"]
    print_table(list(rows[0]) if rows else [], [list(row.values()) for row in rows])
