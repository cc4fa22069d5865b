"""A ZIP file that is written from its first byte to its last, without ever going back.

So it can be sent while it is made. What the header of a part cannot know yet (sizes, checksum) stands behind the part,
in a data descriptor. Parts above 4 GiB do not occur (the sheets see to that), since some versions of Excel refuse ZIP64
in the headers of parts; positions above 4 GiB may, and stand as ZIP64 in the directory at the end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from isal import isal_zlib

from rowferry.exports.formats import Stream

LEVEL = 1
RAW_DEFLATE = -15
VERSION, VERSION_ZIP64 = 20, 45
UTF8_NAMES, DESCRIPTOR_FOLLOWS = 0x0800, 0x0008
DEFLATED = 8
MAX32 = 0xFFFFFFFF

LOCAL_HEADER = struct.Struct("<4s5H3I2H")
DESCRIPTOR = struct.Struct("<4s3I")
DIRECTORY_ENTRY = struct.Struct("<4s6H3I5H2I")
DIRECTORY_END = struct.Struct("<4s4H2IH")
ZIP64_POSITION = struct.Struct("<2HQ")
ZIP64_END = struct.Struct("<4sQ2H2I4Q")
ZIP64_LOCATOR = struct.Struct("<4sIQI")


@dataclass(slots=True)
class Part:
    """One file inside: where its header stands and what is known of its bytes so far."""

    name: bytes
    position: int
    flags: int
    crc: int = 0
    packed: int = 0
    size: int = 0


class Archive:
    """Used as: `put` for small parts, `begin`, `add`*, `end` for long ones, `close`.

    Bytes gather until `flush` hands them to the stream in one write, so that the caller decides when that is.
    """

    def __init__(self, stream: Stream, stamp: datetime) -> None:
        self.position = 0
        self._stream = stream
        self._stamp = dos_stamp(stamp)
        self._buffer: list[bytes] = []
        self._parts: list[Part] = []

    @property
    def size(self) -> int:
        """Bytes given so far to the part that was begun last."""
        return self._parts[-1].size

    def put(self, name: str, data: bytes) -> None:
        """A whole small part, with its sizes in its header."""
        packed = isal_zlib.compress(data, level=LEVEL, wbits=RAW_DEFLATE)
        part = Part(name.encode(), self.position, UTF8_NAMES, isal_zlib.crc32(data), len(packed), len(data))
        self._parts.append(part)
        self._emit(self._header(part) + packed)

    def begin(self, name: str) -> None:
        """Start a part whose bytes come bit by bit."""
        part = Part(name.encode(), self.position, UTF8_NAMES | DESCRIPTOR_FOLLOWS)
        self._parts.append(part)
        self._emit(self._header(part))
        self._deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, RAW_DEFLATE)

    def add(self, data: bytes) -> None:
        part = self._parts[-1]
        part.crc = isal_zlib.crc32(data, part.crc)
        part.size += len(data)
        self._pack(part, self._deflate.compress(data))

    def end(self) -> None:
        part = self._parts[-1]
        self._pack(part, self._deflate.flush())
        self._emit(DESCRIPTOR.pack(b"PK\7\x08", part.crc, part.packed, part.size))

    def flush(self) -> None:
        if self._buffer:
            self._stream.write(b"".join(self._buffer))
            self._buffer.clear()

    def close(self) -> None:
        """Write the directory; the parts are whole by then."""
        start = self.position
        for part in self._parts:
            self._emit(self._directory_entry(part))
        size, count = self.position - start, len(self._parts)
        if start >= MAX32:
            self._emit(zip64_end(start, size, count))
        self._emit(DIRECTORY_END.pack(b"PK\5\6", 0, 0, count, count, size, min(start, MAX32), 0))
        self.flush()

    def _emit(self, data: bytes) -> None:
        self._buffer.append(data)
        self.position += len(data)

    def _pack(self, part: Part, packed: bytes) -> None:
        part.packed += len(packed)
        self._emit(packed)

    def _header(self, part: Part) -> bytes:
        sizes = (part.crc, part.packed, part.size, len(part.name), 0)
        return LOCAL_HEADER.pack(b"PK\3\4", VERSION, part.flags, DEFLATED, *self._stamp, *sizes) + part.name

    def _directory_entry(self, part: Part) -> bytes:
        extra = ZIP64_POSITION.pack(1, 8, part.position) if part.position >= MAX32 else b""
        version = VERSION_ZIP64 if extra else VERSION
        version_fields = (version, version, part.flags, DEFLATED, *self._stamp)
        sizes = (part.crc, part.packed, part.size, len(part.name), len(extra), 0, 0, 0, 0, min(part.position, MAX32))
        return DIRECTORY_ENTRY.pack(b"PK\1\2", *version_fields, *sizes) + part.name + extra


def zip64_end(start: int, size: int, count: int) -> bytes:
    """What tells readers where a directory beyond 4 GiB starts."""
    directory_fields = (ZIP64_END.size - 12, VERSION_ZIP64, VERSION_ZIP64, 0, 0, count, count, size, start)
    return ZIP64_END.pack(b"PK\6\6", *directory_fields) + ZIP64_LOCATOR.pack(b"PK\6\7", 0, start + size, 1)


def dos_stamp(moment: datetime) -> tuple[int, int]:
    """(time, date) as MS-DOS wrote them: steps of two seconds, in UTC here, not before 1980."""
    moment = moment.astimezone(UTC)
    year = max(moment.year, 1980) - 1980
    return (
        moment.hour << 11 | moment.minute << 5 | moment.second // 2,
        year << 9 | moment.month << 5 | moment.day,
    )
