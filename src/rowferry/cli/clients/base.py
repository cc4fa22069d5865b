"""Where exports are made: here, on the database, or at a server. The commands speak to either in the same words.

`local` needs Django set up before it is imported, and `remote` needs httpx: together they take longer to load than most
commands to run. So the commands import neither; the one that is asked for is loaded by its name, here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, BinaryIO, Protocol

import django
import typer
from django.apps import apps

from rowferry.cli.output import Show
from rowferry.exports.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """A file that is whole in the stream given for it; size and SHA-256 (hexadecimal) were compared to its record."""

    export: Mapping[str, Any]
    filename: str
    size: int
    sha256: str


class ExportClient(Protocol):
    """Objects are plain JSON as the API answers it. All raise RowferryError; `stream` is empty and can be rewound."""

    def make(self, resource: str, body: Mapping[str, Any], stream: BinaryIO, on_progress: Show) -> FetchedFile:
        """Have a file made, by the body of an API request, and wait for it."""

    def preview(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]: ...
    def history(self, query: Mapping[str, str]) -> dict[str, Any]: ...
    def find(self, export_id: str) -> dict[str, Any]: ...
    def manifest(self, export_id: str) -> dict[str, Any]: ...
    def log(self, export_id: str, query: Mapping[str, str]) -> dict[str, Any]: ...
    def fetch(self, export_id: str, stream: BinaryIO, on_progress: Show) -> FetchedFile: ...
    def retry(self, export_id: str) -> dict[str, Any]: ...
    def cancel(self, export_id: str) -> dict[str, Any]: ...
    def delete(self, export_id: str) -> None: ...
    def resources(self) -> list[dict[str, Any]]: ...
    def resource(self, name: str) -> dict[str, Any]: ...


class WrongSettings(RequestError):
    """The environment or `.env` says something that cannot be."""

    code = "wrong_settings"
    title = "The settings are wrong"


def open_client(server: str | None, token: str | None, user: str | None) -> ExportClient:
    """The server at that address, or, without one, this machine as `user` (None = the operator)."""
    if not server:
        local_client: ExportClient = with_django("rowferry.cli.clients.local").LocalClient(user)
        return local_client
    if user:
        raise typer.BadParameter("--user is for exports made here; at a server the token says who you are.")
    if not token:
        raise typer.BadParameter("A server wants --token (or ROWFERRY_TOKEN): `rowferry token NAME` prints one.")
    if not server.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--server must begin with http:// or https://, not {server!r}.")
    api_client: ExportClient = import_module("rowferry.cli.clients.api").ApiClient(server, token)
    return api_client


def with_django(module: str) -> ModuleType:
    """A module that needs Django, with Django set up."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rowferry.config.settings")
    try:
        if not apps.ready:
            django.setup()
    except ValueError as error:
        raise WrongSettings(f"The settings are wrong: {error}") from error
    return import_module(module)


def manage(command: str, *arguments: str, **options: Any) -> None:
    """Run one of Django's commands. CommandError: it could not do it."""
    with_django("django.core.management").call_command(command, *arguments, **options)
