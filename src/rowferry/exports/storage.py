"""Where files live. A file is written under a name of its own attempt, hashed on the way, and renamed when it is
whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from rowferry.exports.errors import StorageFault

PART = ".part"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A whole file: its key in the storage, its size in bytes, its SHA-256 in hexadecimal."""

    key: str
    size: int
    sha256: str


class Stage:
    """A file that is being written. Nobody sees it before `publish`; `discard` leaves nothing behind."""

    def __init__(self, folder: Path, key: str) -> None:
        self.key = key
        self.size = 0
        self._folder = folder
        self._path = folder / f"{key}{PART}"
        self._hash = hashlib.sha256()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            raise _fault("The file could not be begun", error) from error

    def write(self, data: bytes) -> None:
        """Append all of `data`. StorageFault if the disk does not take it."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            raise _fault("The file could not be written", error) from error
        self._hash.update(data)
        self.size += len(data)

    def publish(self) -> StoredFile:
        """Give the file its final name, on disk for good. The database's commit is what makes it count."""
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.rename(self._folder / self.key)
            _sync_folder(self._folder)
        except OSError as error:
            raise _fault("The file could not be finished", error) from error
        return StoredFile(self.key, self.size, self._hash.hexdigest())

    def discard(self) -> None:
        """Forget what was written. What cannot be removed now is the ticker's to remove."""
        for step in (self._file.close, self._path.unlink):
            with suppress(OSError):
                step()


class FolderStorage:
    """Files in one folder of a disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stage(self, key: str) -> Stage:
        return Stage(self.folder, key)

    def put(self, key: str, data: bytes) -> StoredFile:
        """A small file at once: whole, or nothing of it."""
        stage = self.stage(key)
        try:
            stage.write(data)
            return stage.publish()
        except BaseException:
            stage.discard()
            raise

    def open(self, key: str) -> BinaryIO:
        """The file for reading. FileNotFoundError if it is gone."""
        return (self.folder / key).open("rb")

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        (self.folder / key).unlink(missing_ok=True)

    def keys(self, older_than: float) -> Iterator[str]:
        """Every file, parts included, last written before that Unix time."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.is_file() and entry.stat().st_mtime < older_than:
                        yield entry.name

    def check(self) -> None:
        """StorageFault unless a file can be written and taken away again."""
        key = f"check.{os.getpid()}"
        self.put(key, b"check")
        self.delete(key)


def storage() -> FolderStorage:
    """The storage that STORAGE_URL names."""
    return _storage(settings.STORAGE_URL)


@cache
def _storage(url: str) -> FolderStorage:
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise ImproperlyConfigured(f"STORAGE_URL: {parts.scheme!r} is not known; give file:///folder.")
    return FolderStorage(Path(unquote(parts.path)))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fault(what: str, error: OSError) -> StorageFault:
    return StorageFault(f"{what}: {os.strerror(error.errno) if error.errno else error}.")
