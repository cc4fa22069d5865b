"""A file on its way from a server: it may break off and go on, and in the end it is proved."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import httpx

from rowferry.cli.checksum import ChecksumWriter
from rowferry.cli.clients.base import FetchedFile
from rowferry.cli.output import Show


class ResumableDownload:
    """What has come of one file. `is_complete` says that an answer came to its end."""

    def __init__(self, stream: BinaryIO, on_progress: Show) -> None:
        self.is_complete = False
        self._copy = ChecksumWriter(stream)
        self._on_progress = on_progress
        self._etag = ""
        self._filename = ""

    @property
    def range_headers(self) -> dict[str, str]:
        """Headers that ask for the rest alone, if the file is still the same; else all of it comes again."""
        if not (self._copy.size and self._etag):
            return {}
        return {"Range": f"bytes={self._copy.size}-", "If-Range": self._etag}

    def receive(self, response: httpx.Response) -> None:
        """Read an answer to its end; what had come stays when it breaks off."""
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            self._copy.restart()
        self._etag = response.headers.get("ETag", "")
        self._filename = filename(response) or self._filename
        length = response.headers.get("Content-Length")
        total = self._copy.size + int(length) if length else None
        for data in response.iter_bytes():
            self._copy.write(data)
            self._on_progress("Downloading", self._copy.size, total)
        self.is_complete = True

    def verify(self, export: Mapping[str, Any]) -> FetchedFile:
        """The file, equal to what its completed export says of it. StorageFault: it is not."""
        sha256 = str(export["checksum"]).removeprefix("sha256:")
        self._copy.compare(export["file_size"], sha256)
        name = self._filename or f"{export['resource_type']}_{export['export_id']}"
        return FetchedFile(export=export, filename=name, size=self._copy.size, sha256=sha256)


def filename(response: httpx.Response) -> str:
    """The file's own name, without any folder; empty where none is said."""
    message = EmailMessage()
    message["Content-Disposition"] = response.headers.get("Content-Disposition", "attachment")
    return PurePosixPath((message.get_filename() or "").replace("\\", "/")).name.lstrip(".")
