"""The stream that compresses, read back by Python's gzip and by zstandard."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard

from rowferry.exports.encoding.compression import PACKINGS, open_compressor
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.formats import Option, file_type, format_writers
from rowferry.exports.planning.spec import ExportSpec
from tests.exports.formats.files import WriteOnlyStream

WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
BEGUN: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: zlib.decompressobj(31).decompress(data),
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
LINES = [b"id,name\r\n", b'1,"Laptop"\r\n' * 2_000, b"", b'2,"Screen"\r\n' * 2_000]
every_packing = pytest.mark.parametrize("name", WHOLE)


def compress(name: str | None) -> WriteOnlyStream:
    tape = WriteOnlyStream()
    stream = open_compressor(tape, name)
    for line in LINES:
        stream.write(line)
    stream.close()
    return tape


def test_every_packing_is_tested() -> None:
    assert set(WHOLE) == set(PACKINGS)


@every_packing
def test_what_goes_in_comes_out_and_is_smaller_on_the_way(name: str) -> None:
    data = compress(name).data
    assert WHOLE[name](data) == b"".join(LINES)
    assert len(data) < len(b"".join(LINES)) / 10


@every_packing
def test_what_was_written_can_be_read_before_the_file_ends(name: str) -> None:
    tape = WriteOnlyStream()
    stream = open_compressor(tape, name)
    for count, line in enumerate(LINES, 1):
        stream.write(line)
        assert BEGUN[name](tape.data) == b"".join(LINES[:count])


@every_packing
def test_the_same_bytes_give_the_same_bytes(name: str) -> None:
    assert compress(name).data == compress(name).data


def test_the_header_of_gzip_holds_neither_a_time_nor_a_name() -> None:
    data = compress("gzip").data
    assert data[:3] == b"\x1f\x8b\x08"
    assert data[3] == 0, "no flag: no name, no comment"
    assert data[4:8] == b"\0\0\0\0"


@pytest.mark.parametrize("name", [None, "none"])
def test_without_a_packing_nothing_changes(name: str | None) -> None:
    assert compress(name).writes == LINES


def test_the_type_of_a_file_is_that_of_its_format_or_of_its_packing() -> None:
    assert file_type("csv", {}) == file_type("csv", {"compress": "none"}) == ("csv", "text/csv; charset=utf-8")
    assert file_type("csv", {"compress": "gzip"}) == ("csv.gz", "application/gzip")
    assert file_type("ndjson", {"compress": "zstd"}) == ("ndjson.zst", "application/zstd")
    assert file_type("gone", {"compress": "gzip"}) == ("bin", "application/octet-stream")


def test_formats_that_are_compressed_in_themselves_do_not_offer_it() -> None:
    offering = {name for name, one in format_writers().items() if "compress" in {option.name for option in one.options}}
    assert offering == {"csv", "json", "ndjson", "tsv"}


def test_a_choice_that_is_not_installed_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Option("compress", "none", "Compression", ("none", "zstd"), {"zstd": "pip install rowferry[zstd]"})
    monkeypatch.setattr(format_writers()["tsv"], "options", (lacking,))
    with pytest.raises(InvalidRequest, match="pip install") as refused:
        ExportSpec.parse("assets", {"format": "tsv", "tsv": {"compress": "zstd"}})
    assert list(refused.value.errors) == ["tsv.compress"]
    assert ExportSpec.parse("assets", {"format": "tsv"}).options == {"compress": "none"}
