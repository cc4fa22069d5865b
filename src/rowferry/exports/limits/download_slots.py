"""Seats for answers that carry a file. A client on a bad line sits long; clients on bad lines must not take every
thread of a web process."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from threading import Lock
from typing import Any, BinaryIO, Self

from rowferry.exports import conf
from rowferry.exports.errors import TooManyDownloads

WAIT = 5
"""Seconds after which to come back."""

_lock = Lock()
_slots_in_use: set[int] = set()


class DownloadSlot:
    """One of the FILES_AT_ONCE seats of this process, until `release()` or until nobody holds it. Raises Crowded."""

    def __init__(self) -> None:
        limit = conf.number("FILES_AT_ONCE")
        with _lock:
            if len(_slots_in_use) >= limit:
                detail = f"All {limit} places for files are taken by slow connections: try again in {WAIT} seconds."
                raise TooManyDownloads(detail, retry_after=WAIT)
            _slots_in_use.add(id(self))
        self.release = weakref.finalize(self, _slots_in_use.discard, id(self))


class SlotStream:
    """A file that is read from a seat, and left by closing it. The server may still send it by its number."""

    def __init__(self, stream: BinaryIO, slot: DownloadSlot) -> None:
        self._stream, self._slot = stream, slot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self._slot.release()
