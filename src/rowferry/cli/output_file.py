"""Where a file comes down: whole under its name or not at all."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import typer

from rowferry.exports.errors import Conflict

STANDARD_OUTPUT = "-"
MANIFEST = ".manifest.json"
"""Behind the name of a file: the name of its manifest."""


class OutputFile(Protocol):
    """`stream` takes the bytes (and can be rewound); `settle(filename)` puts them in place and says where that is."""

    stream: BinaryIO

    def commit(self, filename: str) -> str: ...


@contextmanager
def open_output(output: str | None, *, force: bool, with_manifest: bool = False) -> Iterator[OutputFile]:
    """For `-o OUTPUT`. A folder, or None for the current one, takes the file by its own name. OSError: not writable.

    Conflict: the file, or its manifest, exists already, and `force` does not say to replace it.
    """
    path = Path(output or ".").resolve()
    if output == STANDARD_OUTPUT or (path.exists() and not path.is_file() and not path.is_dir()):
        with tempfile.TemporaryFile() as stream:
            yield _CopiedOutput(stream, output or "")
        return
    folder, name = (path, None) if path.is_dir() else (path.parent, path.name)
    suffixes = () if force else ("", MANIFEST) if with_manifest else ("",)
    if name:
        _refuse_existing(path, suffixes)
    part_path = folder / f".{name or 'rowferry'}.{os.getpid()}.part"
    try:
        with part_path.open("w+b") as stream:
            yield _Renamed(stream, part_path, folder, name, suffixes)
    finally:
        part_path.unlink(missing_ok=True)


def _refuse_existing(path: Path, suffixes: Sequence[str]) -> None:
    for suffix in suffixes:
        if (other := path.with_name(path.name + suffix)).exists():
            raise Conflict(f"{other} exists already: --force replaces it.")


class _Renamed:
    """A temporary beside the final name; renaming it there is the last step."""

    def __init__(
        self, stream: BinaryIO, part_path: Path, folder: Path, name: str | None, suffixes: Sequence[str]
    ) -> None:
        self.stream = stream
        self._part_path = part_path
        self._folder = folder
        self._name = name
        self._suffixes = suffixes

    def commit(self, filename: str) -> str:
        self.stream.flush()
        os.fsync(self.stream.fileno())
        final_path = self._folder / (self._name or Path(filename).name)
        _refuse_existing(final_path, self._suffixes)
        self._part_path.replace(final_path)
        return str(final_path)


class _CopiedOutput:
    """Standard output, a pipe or a device: nothing is passed on before all of it has been checked."""

    def __init__(self, stream: BinaryIO, output: str) -> None:
        self.stream = stream
        self._output = output

    def commit(self, filename: str) -> str:
        self.stream.seek(0)
        if self._output == STANDARD_OUTPUT:
            shutil.copyfileobj(self.stream, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            with Path(self._output).open("wb") as device:
                shutil.copyfileobj(self.stream, device)
        return self._output


def check_manifest_output(output: str | None, manifest: bool) -> None:
    """BadParameter: a manifest lies beside a file, and standard output has no beside."""
    if manifest and output == STANDARD_OUTPUT:
        raise typer.BadParameter("--manifest wants a file: give --output a name.")


def write_manifest(path: str, manifest: Mapping[str, Any]) -> None:
    """Write the manifest beside the file."""
    file = Path(f"{path}{MANIFEST}")
    file.write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


def display_name(path: str) -> str:
    """What `commit` returned, for people."""
    return "Standard output" if path == STANDARD_OUTPUT else path
