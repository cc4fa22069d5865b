"""The forward-only ZIP, opened by Python's zipfile and read once from front to back as a stream would be."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rowferry.exports.formats.excel.archive import Archive
from tests.exports.formats.files import WHEN, WriteOnlyStream

FOUR_GIB = 1 << 32


def archive_of(*parts: bytes, stamp: datetime = WHEN) -> bytes:
    """part0 put as a whole, the others bit by bit."""
    tape = WriteOnlyStream()
    archive = Archive(tape, stamp)
    archive.put("part0", parts[0])
    for number, data in enumerate(parts[1:], 1):
        archive.begin(f"part{number}")
        for start in range(0, len(data), 1000):
            archive.add(data[start : start + 1000])
        archive.end()
    archive.close()
    return tape.data


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 1000])
def test_other_programs_find_the_same_bytes(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive_of(data, data))) as opened:
        assert opened.testzip() is None
        assert [opened.read(name) for name in opened.namelist()] == [data, data]


def test_a_reader_that_cannot_seek_finds_size_and_checksum_behind_each_part() -> None:
    data = b"rows " * 5000
    left = archive_of(b"small", data)
    for expected in (b"small", data):
        header = struct.unpack("<4s5H3I2H", left[:30])
        inflate = zlib.decompressobj(-15)
        assert inflate.decompress(left[30 + header[9] :]) == expected
        left = inflate.unused_data
        crc, _, size = header[6:9]
        if header[2] & 0x0008:
            signature, crc, _, size = struct.unpack("<4s3I", left[:16])
            assert signature == b"PK\7\x08"
            left = left[16:]
        assert (crc, size) == (zlib.crc32(expected), len(expected))
    assert left.startswith(b"PK\1\2")


def test_parts_and_a_directory_beyond_four_gib_are_found(tmp_path: Path) -> None:
    path = tmp_path / "sparse.zip"
    with path.open("wb") as stream:
        stream.seek(FOUR_GIB + 10)
        archive = Archive(stream, WHEN)
        archive.position = FOUR_GIB + 10
        archive.put("whole", b"a whole part")
        archive.begin("long")
        archive.add(b"a part in two")
        archive.add(b" pieces")
        archive.end()
        archive.close()
    with zipfile.ZipFile(path) as opened:
        assert [part.header_offset > FOUR_GIB for part in opened.infolist()] == [True, True]
        assert opened.read("long") == b"a part in two pieces"
        assert opened.testzip() is None


def test_zip64_is_not_mentioned_where_it_is_not_needed() -> None:
    assert b"PK\6\6" not in archive_of(b"a", b"b")


@pytest.mark.parametrize(
    ("stamp", "written"),
    [
        (datetime(2025, 10, 30, 14, 15, 7, tzinfo=UTC), (2025, 10, 30, 14, 15, 6)),
        (datetime(2025, 10, 30, 1, 0, tzinfo=timezone(timedelta(hours=2))), (2025, 10, 29, 23, 0, 0)),
    ],
)
def test_parts_carry_the_time_of_the_export(stamp: datetime, written: tuple[int, ...]) -> None:
    with zipfile.ZipFile(io.BytesIO(archive_of(b"a", b"b", stamp=stamp))) as opened:
        assert [part.date_time for part in opened.infolist()] == [written, written]


def test_nothing_is_written_before_it_is_asked_for_and_then_at_once() -> None:
    tape = WriteOnlyStream()
    archive = Archive(tape, WHEN)
    archive.put("a", b"a")
    archive.begin("b")
    archive.add(b"b")
    assert tape.writes == []
    archive.flush()
    archive.flush()
    assert len(tape.writes) == 1
