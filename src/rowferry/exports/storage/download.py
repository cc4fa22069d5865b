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

WHY_NOT = {
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


def opened(export: Export) -> Download:
    """The file of an export. Conflict: not ready, failed, cancelled. Gone: expired. NotFound: deleted or missing."""
    return described(export, _found(export, storage().open))


def linked(export: Export, lasts: timedelta) -> str | None:
    """An address in the storage that gives the file for so long; None = the storage has none. Raises like `opened`."""
    filename, content_type = export.filename, export.content_type
    return _found(export, lambda key: storage().link(key, filename, content_type, lasts))


def _found(export: Export, look: Callable[[str], T]) -> T:
    status = Status(export.status)
    if status in WHY_NOT:
        raise Conflict(WHY_NOT[status])
    if status is Status.EXPIRED or export.is_over:
        raise Gone("The file was kept until its time was over: make a new export.")
    try:
        if status is Status.DELETED:
            raise FileNotFoundError
        return look(export.file_key)
    except FileNotFoundError:
        raise NotFound("The file is not there any more: make a new export.") from None


def described(export: Export, stream: BinaryIO) -> Download:
    return Download(
        stream=stream,
        size=export.file_size or 0,
        sha256=export.sha256,
        filename=export.filename,
        content_type=export.content_type,
        modified=export.completed_at,
    )
