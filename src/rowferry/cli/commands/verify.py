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

GOOD = {True: "yes", False: "NO", None: "-"}

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
    manifest_path = manifest or file.with_name(f"{file.name}{MANIFEST}")
    manifest_data = engine.read_json(manifest_path.read_bytes(), manifest_path)
    checks = engine.verify(file, manifest_data, _keys(keys, engine), unsigned=unsigned)
    is_valid = all(check.ok is not False for check in checks)
    accounts = {name: manifest_data[name] for name in ("actor", "on_behalf_of") if name in manifest_data}
    if as_json:
        check_records = [{name: getattr(check, name) for name in check.__slots__} for check in checks]
        print_json({"file": str(file), "good": is_valid, "checks": check_records, **accounts})
    else:
        print_table(("What", "Good", "Found"), [[check.what, GOOD[check.ok], check.found] for check in checks])
    for what, account in accounts.items():
        if isinstance(account, dict):
            echo_err(f"The manifest says {what}: {_account(account)}")
    echo_err(f"{file}: {'as it was made' if is_valid else 'NOT proved to be as it was made'}.")
    if not is_valid:
        raise typer.Exit(NOT_AS_MADE)


def _account(account: dict[str, Any]) -> str:
    """`owner (id 7)`; the operator has no id."""
    return str(account.get("name")) + (f" (id {account['id']})" if account.get("id") else "")


def _keys(source: str | None, engine: Any) -> list[Any]:
    if source is None:
        return list(engine.own_keys())
    if source.startswith(("http://", "https://")):
        data = import_module("rowferry.cli.clients.http").fetch_url(source)
    else:
        data = Path(source).read_bytes()
    return list(engine.read_json(data, source).get("keys", []))
