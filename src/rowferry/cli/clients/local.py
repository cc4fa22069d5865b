"""Exports made here, on the database, by the engine's front doors. Imported by name only, once Django is set up."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import NoReverseMatch, reverse

from rowferry.cli.checksum import ChecksumWriter
from rowferry.cli.clients.base import FetchedFile
from rowferry.cli.clients.polling import wait
from rowferry.cli.output import Show
from rowferry.exports import catalogue, records, submission, tracking
from rowferry.exports.errors import NotFound

POLL_INTERVAL = 0.2
"""Seconds between two looks at a queued export."""
CHUNK = 1024 * 1024


class LocalClient:
    """This machine. The operator acts: on behalf of one person, or with every right."""

    def __init__(self, user: str | None) -> None:
        self.person = _find_user(user) if user else None
        self.actor = submission.Operator(on_behalf_of=self.person)

    def make(self, resource: str, body: Mapping[str, Any], stream: BinaryIO, on_progress: Show) -> FetchedFile:
        if body.get("async"):
            export = submission.enqueue(resource, body, self.actor)
            wait(str(export.pk), lambda: (self.find(str(export.pk)), POLL_INTERVAL), on_progress)
            return self._copy_export(str(export.pk), stream, on_progress)[1]
        job, progress = submission.perform(resource, body, self.actor)
        with closing(cast("Generator[Any, None, None]", progress)):
            for tally in progress:
                on_progress(f"Exporting {resource}", tally.rows, job.expected)
        return _copy_file(records.export(job.export, api_url), job.file(), stream, on_progress)

    def preview(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return records.preview(submission.dry_run(resource, body, self.actor))

    def history(self, query: Mapping[str, str]) -> dict[str, Any]:
        return records.history(tracking.history(self.actor, query), api_url)

    def find(self, export_id: str) -> dict[str, Any]:
        return records.export(tracking.find(self.actor, export_id), api_url)

    def manifest(self, export_id: str) -> dict[str, Any]:
        return tracking.manifest(self.actor, export_id)

    def log(self, export_id: str, query: Mapping[str, str]) -> dict[str, Any]:
        return records.log(tracking.log(self.actor, export_id, query))

    def fetch(self, export_id: str, stream: BinaryIO, on_progress: Show) -> FetchedFile:
        export, file = self._copy_export(export_id, stream, on_progress)
        tracking.note_download(self.actor, export, "The whole file, by the rowferry command.")
        return file

    def retry(self, export_id: str) -> dict[str, Any]:
        return records.export(tracking.retry(self.actor, export_id), api_url)

    def cancel(self, export_id: str) -> dict[str, Any]:
        return records.export(tracking.cancel(self.actor, export_id), api_url)

    def delete(self, export_id: str) -> None:
        tracking.delete(self.actor, export_id)

    def resources(self) -> list[dict[str, Any]]:
        formats = catalogue.formats()
        return [records.resource(resource_info, formats, api_url) for resource_info in catalogue.resources(self.person)]

    def resource(self, name: str) -> dict[str, Any]:
        return records.resource(catalogue.resource(name, self.person), catalogue.formats(), api_url)

    def _copy_export(self, export_id: str, stream: BinaryIO, on_progress: Show) -> tuple[Any, FetchedFile]:
        export, file = tracking.open_file(self.actor, export_id)
        return export, _copy_file(records.export(export, api_url), file, stream, on_progress)


def api_url(name: str, *args: object) -> str | None:
    """The address of an endpoint of this installation's API; None = its URLs do not include the API."""
    try:
        return str(settings.SITE_URL).rstrip("/") + reverse(f"rowferry_api:{name}", args=args)
    except NoReverseMatch:
        return None


def _find_user(user: str) -> Any:
    user_model = get_user_model()
    try:
        return user_model._default_manager.get_by_natural_key(user)
    except user_model.DoesNotExist:
        raise NotFound(f"There is no user {user!r}: `rowferry user {user}` makes one.") from None


def _copy_file(export: dict[str, Any], file: Any, stream: BinaryIO, on_progress: Show) -> FetchedFile:
    copy = ChecksumWriter(stream)
    with file.stream as source:
        while data := source.read(CHUNK):
            copy.write(data)
            on_progress("Copying", copy.size, file.size)
    copy.compare(file.size, file.sha256)
    return FetchedFile(export=export, filename=file.filename, size=copy.size, sha256=file.sha256)
