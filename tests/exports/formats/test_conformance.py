"""What every format must do, whatever it is: a new module in `sinks/` runs through all of this without a line here."""

from __future__ import annotations

import tracemalloc

import pytest

from rowferry.exports.encoding.blocks import CellBlock
from rowferry.exports.encoding.value_types import Representation, ValueType
from rowferry.exports.errors import SourceFault
from rowferry.exports.formats import FormatWriter, format_writers
from tests.exports.formats.files import HOSTILE, READERS, Row, WriteOnlyStream, block, columns, make, order_for

READY = [writer_class for writer_class in format_writers().values() if writer_class.missing is None]
every_format = pytest.mark.parametrize("writer_class", READY, ids=lambda writer_class: writer_class.name)
CELLS = {
    (ValueType.BOOLEAN, Representation.PLAIN): "true",
    (ValueType.BOOLEAN, Representation.DIGIT): "1",
    (ValueType.DATE, Representation.PLAIN): "2025-10-30",
    (ValueType.DATE, Representation.SERIAL): "45960",
    (ValueType.INSTANT, Representation.PLAIN): "2025-10-30T14:15:00Z",
    (ValueType.INSTANT, Representation.SERIAL): "45960.59375",
    (ValueType.JSON, Representation.PLAIN): '{"a": [1, "b"]}',
    (ValueType.INTEGER, Representation.PLAIN): "42",
    (ValueType.DECIMAL, Representation.PLAIN): "-12.50",
    (ValueType.FLOAT, Representation.PLAIN): "2.5",
}
ALL_KINDS = columns(*ValueType)


def rows_for(writer_class: type[FormatWriter], count: int) -> list[Row]:
    """Rows of every kind in the forms that this format asks for, with hostile texts and NULLs in between."""
    cells = [CELLS.get((kind, writer_class.forms.get(kind, Representation.PLAIN))) for kind in ValueType]
    return [
        [
            None if (row + place) % 5 == 0 else cell or HOSTILE[(row + place) % len(HOSTILE)]
            for place, cell in enumerate(cells)
        ]
        for row in range(count)
    ]


def test_the_formats_are_there() -> None:
    assert {writer_class.name for writer_class in READY} == {"csv", "excel", "json", "ndjson", "parquet", "tsv"}


@every_format
def test_a_format_says_what_it_is(writer_class: type[FormatWriter]) -> None:
    assert writer_class.label
    assert writer_class.description
    assert writer_class.extension.isalnum()
    assert "/" in writer_class.content_type
    assert all(option.default in option.choices for option in writer_class.options if option.choices)


@pytest.mark.parametrize(
    ("name", "extension", "content_type"),
    [
        ("csv", "csv", "text/csv; charset=utf-8"),
        ("excel", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("json", "json", "application/json"),
        ("ndjson", "ndjson", "application/x-ndjson"),
        ("parquet", "parquet", "application/vnd.apache.parquet"),
        ("tsv", "tsv", "text/tab-separated-values; charset=utf-8"),
    ],
)
def test_content_types_are_those_that_programs_know(name: str, extension: str, content_type: str) -> None:
    assert (format_writers()[name].extension, format_writers()[name].content_type) == (extension, content_type)


@every_format
@pytest.mark.parametrize("count", [0, 1, 2, 7, 30])
def test_as_many_rows_come_out_as_went_in(writer_class: type[FormatWriter], count: int) -> None:
    made = make(writer_class, ALL_KINDS, rows_for(writer_class, count), 7)
    assert len(READERS[writer_class.name](made.data)) == made.writer.rows == count


@every_format
def test_how_rows_are_cut_into_blocks_does_not_change_the_content(writer_class: type[FormatWriter]) -> None:
    rows = rows_for(writer_class, 25)
    contents = [READERS[writer_class.name](make(writer_class, ALL_KINDS, rows, size).data) for size in (1, 4, 25)]
    assert contents[0] == contents[1] == contents[2]


@every_format
def test_the_same_order_gives_the_same_bytes(writer_class: type[FormatWriter]) -> None:
    rows = rows_for(writer_class, 25)
    assert make(writer_class, ALL_KINDS, rows, 5).data == make(writer_class, ALL_KINDS, rows, 5).data


@every_format
def test_every_kind_alone_can_be_a_file_with_and_without_values(writer_class: type[FormatWriter]) -> None:
    for place, column in enumerate(ALL_KINDS):
        rows = [[row[place]] for row in rows_for(writer_class, 6)]
        assert len(READERS[writer_class.name](make(writer_class, (column,), rows).data)) == 6
        assert len(READERS[writer_class.name](make(writer_class, (column,), [[None]] * 3).data)) == 3


@every_format
def test_an_empty_block_changes_nothing(writer_class: type[FormatWriter]) -> None:
    tape = WriteOnlyStream()
    writer = writer_class(order_for(writer_class, ALL_KINDS), tape)
    writer.open()
    writer.write(CellBlock(b"", 0))
    writer.write(block(rows_for(writer_class, 2)))
    writer.write(CellBlock(b"", 0))
    writer.close()
    assert tape.data == make(writer_class, ALL_KINDS, rows_for(writer_class, 2)).data


@every_format
def test_a_block_that_is_not_rows_times_width_is_refused(writer_class: type[FormatWriter]) -> None:
    writer = writer_class(order_for(writer_class, ALL_KINDS), WriteOnlyStream())
    writer.open()
    with pytest.raises(SourceFault):
        writer.write(CellBlock(b"1\xfe2", 1))


@every_format
def test_a_block_is_at_most_one_write(writer_class: type[FormatWriter]) -> None:
    tape = WriteOnlyStream()
    writer = writer_class(order_for(writer_class, ALL_KINDS), tape)
    writer.open()
    for count in range(1, 6):
        before = len(tape.writes)
        writer.write(block(rows_for(writer_class, 50 * count)))
        assert len(tape.writes) - before <= 1


@every_format
def test_memory_does_not_grow_with_the_rows(writer_class: type[FormatWriter]) -> None:
    part = block(rows_for(writer_class, 200))
    peaks = [peak_of(writer_class, part, count) for count in (20, 200)]
    assert peaks[1] - peaks[0] < 64 * 1024


def peak_of(writer_class: type[FormatWriter], part: CellBlock, count: int) -> int:
    writer = writer_class(order_for(writer_class, ALL_KINDS), NullStream())
    tracemalloc.start()
    writer.open()
    for _ in range(count):
        writer.write(part)
    writer.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


class NullStream:
    def write(self, data: bytes) -> None:
        """Bytes that nobody keeps."""
