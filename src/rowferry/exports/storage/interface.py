"""What every storage can do. A file is written under a name of its own attempt, hashed on the way, and seen by nobody
before it is whole."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A whole file: its key in the storage, its size in bytes, its SHA-256 in hexadecimal."""

    key: str
    size: int
    sha256: str


class Stage(ABC):
    """A file that is being written. Nobody sees it before `publish`; `discard` leaves nothing behind."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.size = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append all of `data`. StorageFault if the storage does not take it."""
        self._append(data)
        self._hash.update(data)
        self.size += len(data)

    def publish(self) -> StoredFile:
        """Give the file its final name; its content is safe then, and with `Storage.sync_names` so is the name. The
        database's commit is what makes it count."""
        self._finish()
        return StoredFile(self.key, self.size, self._hash.hexdigest())

    @abstractmethod
    def discard(self) -> None:
        """Forget what was written. What cannot be removed now is the scheduler's to remove. Raises nothing."""

    @abstractmethod
    def _append(self, data: bytes) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...


class Storage(ABC):
    """Files by key. Every method raises StorageFault where the storage does not do as it should."""

    @abstractmethod
    def stage(self, key: str) -> Stage:
        """Begin a file."""

    def sync_names(self) -> None:
        """Make the names of all that was published last through a loss of power."""
        return

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """The file for reading, seekable. FileNotFoundError if it is gone."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove a file, or with PART_SUFFIX behind its key what was written of it; what is not there is no error."""

    @abstractmethod
    def keys(self, older_than: float) -> Iterator[str]:
        """Every file last written before that Unix time, and every one begun before it and not finished, with
        PART_SUFFIX behind its key."""

    def link(self, key: str, filename: str, content_type: str, expires_in: timedelta) -> str | None:
        """An address that gives the file to whoever has it, for so long; None = there is none. FileNotFoundError."""
        return None

    def detach(self, stream: BinaryIO) -> BinaryIO:
        """An open file as one that can still be read when its key is deleted. Owns `stream`."""
        return stream

    def free_space(self) -> int | None:
        """Bytes that it can still take; None = it does not know, as an object store does not."""
        return None

    def put(self, key: str, data: bytes) -> StoredFile:
        """A small file at once: whole, or nothing of it."""
        stage = self.stage(key)
        try:
            stage.write(data)
            return stage.publish()
        except BaseException:
            stage.discard()
            raise

    def check(self) -> None:
        """StorageFault unless a file can be written, read and taken away again."""
        name = f"check.{uuid4().hex}"
        self.put(name, b"check")
        with self.open(name) as file:
            file.read()
        self.delete(name)
