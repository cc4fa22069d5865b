"""Compression of a file as a whole: a stream in front of a stream, so that no format knows of it.

What is kept, hashed and served in ranges are the compressed bytes. The same rows give the same bytes: the header of
gzip holds neither a name nor a time.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from isal import isal_zlib

GZIP = 31
"""What zlib calls a window of 15 bits with the header and trailer of gzip."""
GZIP_LEVEL = 2
NONE = "none"


class Target(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Coder(Protocol):
    """What both libraries give for one file."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int = ..., /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Packing:
    """One way to compress. `begin` gives the coder of one file and the mode in which it lets go of a whole block.

    `suffix` follows the extension of the format; `missing` = what to install first, None = ready.
    """

    suffix: str
    content_type: str
    begin: Callable[[], tuple[Coder, int]]
    missing: str | None = None


def _gzip() -> tuple[Coder, int]:
    return isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, GZIP), isal_zlib.Z_SYNC_FLUSH


def _zstd() -> tuple[Coder, int]:
    library = importlib.import_module("zstandard")
    return library.ZstdCompressor().compressobj(), library.COMPRESSOBJ_FLUSH_BLOCK


PACKINGS: Mapping[str, Packing] = {
    "gzip": Packing(".gz", "application/gzip", _gzip),
    "zstd": Packing(
        ".zst",
        "application/zstd",
        _zstd,
        missing=None if importlib.util.find_spec("zstandard") else "pip install rowferry[zstd]",
    ),
}


class Compressed:
    """A stream that compresses on the way. `close` writes what is left; the target stays open.

    Each write is flushed: who listens to a stream gets the first rows when they are read, not when a window is full.
    """

    def __init__(self, target: Target, packing: Packing) -> None:
        self._target = target
        self._coder, self._block = packing.begin()

    def write(self, data: bytes) -> None:
        self._target.write(self._coder.compress(data) + self._coder.flush(self._block))

    def close(self) -> None:
        self._target.write(self._coder.flush())


class Plain:
    """A stream that changes nothing."""

    def __init__(self, target: Target) -> None:
        self.write = target.write

    def close(self) -> None:
        """Nothing is left."""


def open_compressor(target: Target, choice: str | None) -> Compressed | Plain:
    """The stream for a choice: a key of PACKINGS, or anything else for none."""
    packing = PACKINGS.get(choice or NONE)
    return Compressed(target, packing) if packing else Plain(target)
