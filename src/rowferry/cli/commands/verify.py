"""`rowferry verify`: is this file the one that was made?"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated, Any

import typer

from rowferry.cli import options
from rowferry.cli.clients.base import with_django
from rowferry.cli.output import echo_err, print_json, print_table
from rowferry.cli.output_file import MANIFEST

NOT_AS_MADE = 3
"""Exit code: it was checked, and something is not as it should be."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="What was exported.")]
Manifest = Annotated[
    Path | None,
    typer.Option(metavar="M", show_default=False, help=f"Its manifest; by default FILE{MANIFEST} beside it."),
]
Keys = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|URL",
        show_default=False,
        help="Public keys of who made it (…/.well-known/rowferry-keys.json); by default those of this installation.",
    ),
]


def verify(
    file: File,
    manifest: Manifest = None,
    keys: Keys = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Do not ask for a signature.")] = False,
    as_json: options.Json = False,
) -> None:
    """Compare a file with its manifest, and the manifest with its signature. Exit code 3 if anything differs.

    Needs no account and no database.
    """
    os.environ.setdefault("SECRET_KEY", token_urlsafe())  # not used here, and none is to be made and kept for it
    engine = with_django("rowferry.exports.integrity.verification")
    described = manifest or file.with_name(f"{file.name}{MANIFEST}")
    said = engine.read_json(described.read_bytes(), described)
    checks = engine.verify(file, said, _keys(keys, engine), unsigned=unsigned)
    good = all(check.ok for check in checks)
    if as_json:
        found = [{name: getattr(one, name) for name in one.__slots__} for one in checks]
        print_json({"file": str(file), "good": good, "checks": found})
    else:
        print_table(("What", "Good", "Found"), [[one.what, "yes" if one.ok else "NO", one.found] for one in checks])
    echo_err(f"{file}: {'as it was made' if good else 'NOT proved to be as it was made'}.")
    if not good:
        raise typer.Exit(NOT_AS_MADE)


def _keys(given: str | None, engine: Any) -> list[Any]:
    if given is None:
        return list(engine.own_keys())
    if given.startswith(("http://", "https://")):
        data = import_module("rowferry.cli.clients.http").fetch_url(given)
    else:
        data = Path(given).read_bytes()
    return list(engine.read_json(data, given).get("keys", []))
