"""`rowferry resources`: what can be exported."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import open_client
from rowferry.cli.output import echo_err, print_json, print_table

SHOWN_CHOICES = 8


def resources(
    name: Annotated[str | None, typer.Argument(help="One of them: its columns, filters and formats.")] = None,
    user: options.User = None,
    server: options.Server = None,
    token: options.Token = None,
    as_json: options.Json = False,
) -> None:
    """What can be exported; with a name its columns, filters and formats."""
    client = open_client(server, token, user)
    if name is not None:
        resource = client.resource(name)
        (print_json if as_json else _describe)(resource)
        return
    all_resources = client.resources()
    if as_json:
        print_json(all_resources)
    else:
        print_table(
            ("Name", "Label", "Columns"),
            [(resource["name"], resource["label"], len(resource["columns"])) for resource in all_resources],
        )


def _describe(resource: dict[str, Any]) -> None:
    echo_err(f"Columns of {resource['name']} (those by default are exported when none are named):")
    column_rows = [
        (c["name"], c["type"], c["label"], "by default" if c["default"] else "") for c in resource["columns"]
    ]
    print_table(("Column", "Type", "Label", "Default"), column_rows)
    echo_err("Filters:")
    print_table(("Filter", "Type", "Values"), [(f["name"], _type(f), _choices(f)) for f in resource["filters"]])
    echo_err("Formats:")
    print_table(("Format", "Label", "Missing"), [(f["name"], f["label"], f["missing"]) for f in resource["formats"]])


def _type(parameter: dict[str, Any]) -> str:
    return ", ".join(
        [
            parameter["type"],
            *(["several"] if parameter["multiple"] else []),
            *(["null"] if parameter["nullable"] else []),
        ]
    )


def _choices(parameter: dict[str, Any]) -> str:
    choices = parameter["choices"] or []
    ellipsis = ", …" if len(choices) > SHOWN_CHOICES else ""
    return ", ".join(f"{c['value']} {c['label']}" for c in choices[:SHOWN_CHOICES]) + ellipsis
