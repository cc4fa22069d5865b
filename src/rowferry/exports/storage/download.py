"""A finished file, open for reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, TypeVar

from rowferry.exports.errors import Conflict, Gone, NotFound
from rowferry.exports.models import Export, Status
from rowferry.exports.storage import storage

T = TypeVar("T")

CONFLICT_MESSAGES = {
    Status.PENDING: "The export waits to be made: ask again when its status is completed.",
    Status.PROCESSING: "The export is being made: ask again when its status is completed.",
    Status.FAILED: "The export failed, so there is no file: its error says why; retry makes a new one.",
    Status.CANCELLED: "The export was cancelled, so there is no file: retry makes a new one.",
}


@dataclass(frozen=True, slots=True)
class Download:
    """The file itself (open, at its start), and what a client should know of it. `sha256` in hexadecimal."""

    stream: BinaryIO
    size: int
    sha256: str
    filename: str
    content_type: str
    modified: datetime | None


def open_download(export: Export) -> Download:
    """The file of an export. Conflict: not ready, failed, cancelled. Gone: expired. NotFound: deleted or missing."""
    return to_download(export, _with_file(export, storage().open))


def download_link(export: Export, expires_in: timedelta) -> str | None:
    """An address in the storage that gives the file for so long; None = it has none. Raises like `open_download`."""
    filename, content_type = export.filename, export.content_type
    return _with_file(export, lambda key: storage().link(key, filename, content_type, expires_in))


def _with_file(export: Export, open_file: Callable[[str], T]) -> T:
    status = Status(export.status)
    if status in CONFLICT_MESSAGES:
        raise Conflict(CONFLICT_MESSAGES[status])
    if status is Status.EXPIRED or export.is_over:
        raise Gone("The file was kept until its time was over: make a new export.")
    try:
        if status is Status.DELETED:
            raise FileNotFoundError
        return open_file(export.file_key)
    except FileNotFoundError:
        raise NotFound("The file is not there any more: make a new export.") from None


def to_download(export: Export, stream: BinaryIO) -> Download:
    return Download(
        stream=stream,
        size=export.file_size or 0,
        sha256=export.sha256,
        filename=export.filename,
        content_type=export.content_type,
        modified=export.completed_at,
    )
