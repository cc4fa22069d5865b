"""Files in one folder of a disk: written as a part, made safe, renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, unquote

from rowferry.exports.errors import StorageFault
from rowferry.exports.persistent_names import PART_SUFFIX
from rowferry.exports.storage.interface import Stage, Storage


class FolderStage(Stage):
    """A part file of its own name."""

    def __init__(self, folder: Path, key: str) -> None:
        super().__init__(key)
        self._folder = folder
        self._path = folder / f"{key}{PART_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            raise _fault("The file could not be begun", error) from error

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            raise _fault("The file could not be written", error) from error

    def _finish(self) -> None:
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.rename(self._folder / self.key)
        except OSError as error:
            raise _fault("The file could not be finished", error) from error

    def discard(self) -> None:
        for step in (self._file.close, self._path.unlink):
            with suppress(OSError):
                step()


class FolderStorage(Storage):
    """`file:///folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def stage(self, key: str) -> FolderStage:
        return FolderStage(self.folder, key)

    def sync_names(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise _fault("The files' names could not be made safe", error) from error
        finally:
            os.close(descriptor)

    def open(self, key: str) -> BinaryIO:
        return (self.folder / key).open("rb")

    def delete(self, key: str) -> None:
        try:
            (self.folder / key).unlink(missing_ok=True)
        except OSError as error:
            raise _fault("The file could not be removed", error) from error

    def keys(self, older_than: float) -> Iterator[str]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.is_file() and entry.stat().st_mtime < older_than:
                        yield entry.name

    def free_space(self) -> int | None:
        """None where the folder is yet to be made."""
        with suppress(FileNotFoundError):
            return shutil.disk_usage(self.folder).free
        return None


def from_url(parts: SplitResult) -> FolderStorage:
    return FolderStorage(Path(unquote(parts.path)))


def _fault(message: str, error: OSError) -> StorageFault:
    return StorageFault(f"{message}: {os.strerror(error.errno) if error.errno else error}.")
