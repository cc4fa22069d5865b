"""A finished file, open for reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from rowferry.exports.errors import Conflict, Gone, NotFound
from rowferry.exports.models import Export, Status
from rowferry.exports.storage import storage

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
    status = Status(export.status)
    if status in WHY_NOT:
        raise Conflict(WHY_NOT[status])
    if status is Status.EXPIRED or export.is_over:
        raise Gone("The file was kept until its time was over: make a new export.")
    try:
        if status is Status.DELETED:
            raise FileNotFoundError
        stream = storage().open(export.file_key)
    except FileNotFoundError:
        raise NotFound("The file is not there any more: make a new export.") from None
    return described(export, stream)


def described(export: Export, stream: BinaryIO) -> Download:
    return Download(
        stream=stream,
        size=export.file_size or 0,
        sha256=export.sha256,
        filename=export.filename,
        content_type=export.content_type,
        modified=export.completed_at,
    )
