"""A copy that can be proved: hashed while it is written, then compared to what the file was said to be."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from rowferry.exports.errors import StorageFault


class ChecksumWriter:
    """The bytes of one file on their way into a stream. `size` = how many have come."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.restart()

    def restart(self) -> None:
        """Forget what has come: it comes again from the first byte."""
        self._stream.seek(0)
        self._stream.truncate()
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self._digest.update(data)
        self.size += len(data)

    def compare(self, size: int, sha256: str) -> None:
        """StorageFault unless the copy is what was written once."""
        if (self.size, self._digest.hexdigest()) != (size, sha256):
            raise StorageFault(
                f"The file is damaged: it should have {size:,} bytes with SHA-256 {sha256}, and what came are "
                f"{self.size:,} bytes with {self._digest.hexdigest()}. Nothing was kept."
            )
