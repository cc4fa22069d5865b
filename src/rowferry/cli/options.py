"""Options and arguments that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Server = Annotated[
    str | None,
    typer.Option(envvar="ROWFERRY_SERVER", metavar="URL", help="Through the API of this server.", show_default=False),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="ROWFERRY_TOKEN", metavar="T", help="Bearer token for the server.", show_default=False),
]
User = Annotated[
    str | None, typer.Option(metavar="NAME", help="Here: as this person, not as the operator.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE|-", help="Where to write; - is standard output.", show_default=False),
]
WithManifest = Annotated[bool, typer.Option("--manifest", help="The manifest too, in FILE.manifest.json beside it.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists already.")]
ExportId = Annotated[str, typer.Argument(metavar="ID", help="The id of the export.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
