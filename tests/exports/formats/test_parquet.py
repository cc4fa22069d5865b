"""Parquet, read back by pyarrow."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from math import inf, isnan
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.parquet import GROUP_ROWS, ParquetWriter
from tests.exports.formats.files import (
    WriteOnlyStream,
    WrittenFile,
    block,
    columns,
    hostile_text,
    make,
    order_for,
    parquet_rows,
)

BLOCK = 2_000


def values(made: WrittenFile) -> list[Any]:
    """What the first column holds."""
    return [row["c0"] for row in parquet_rows(made.data)]


def schema(made: WrittenFile) -> pa.Schema:
    return pq.read_schema(io.BytesIO(made.data))


def price(most: int, places: int) -> tuple[FormatColumn, ...]:
    return (FormatColumn("c0", "Price", ValueType.DECIMAL, digits=(most, places)),)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.none() | hostile_text), max_size=30), st.integers(1, 7))
def test_any_text_comes_back_as_it_was(rows: list[tuple[int, str | None]], size: int) -> None:
    cells = [(str(number), text) for number, text in rows]
    made = make(ParquetWriter, columns(ValueType.INTEGER, ValueType.TEXT), cells, size)
    assert parquet_rows(made.data) == [{"c0": number, "c1": text} for number, text in rows]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (ValueType.INTEGER, pa.int64()),
        (ValueType.FLOAT, pa.float64()),
        (ValueType.BOOLEAN, pa.bool_()),
        (ValueType.DATE, pa.date32()),
        (ValueType.INSTANT, pa.timestamp("us", tz="UTC")),
        *[
            (kind, pa.string())
            for kind in (
                ValueType.TEXT,
                ValueType.IDENTIFIER,
                ValueType.UUID,
                ValueType.TIME,
                ValueType.DURATION,
                ValueType.JSON,
            )
        ],
    ],
)
def test_each_kind_has_its_type_even_without_a_row(kind: ValueType, wanted: pa.DataType) -> None:
    assert schema(make(ParquetWriter, columns(kind), [])).field("c0").type == wanted


def test_values_are_typed() -> None:
    rows = [["42", "2.5", "true", "2025-10-30", "2025-10-30T14:15:00.5Z"], ["-1", "-Infinity", "false", None, None]]
    made = make(
        ParquetWriter,
        columns(ValueType.INTEGER, ValueType.FLOAT, ValueType.BOOLEAN, ValueType.DATE, ValueType.INSTANT),
        rows,
    )
    assert [list(row.values()) for row in parquet_rows(made.data)] == [
        [42, 2.5, True, date(2025, 10, 30), datetime(2025, 10, 30, 14, 15, 0, 500_000, UTC)],
        [-1, -inf, False, None, None],
    ]
    (nothing,) = values(make(ParquetWriter, columns(ValueType.FLOAT), [["NaN"]]))
    assert isnan(nothing)


def test_null_and_empty_text_are_two_things() -> None:
    assert values(make(ParquetWriter, columns(ValueType.TEXT), [[None], [""]])) == [None, ""]


def test_a_decimal_has_the_digits_of_its_field() -> None:
    made = make(ParquetWriter, price(12, 2), [["1234.50"], ["-0.01"], ["7"], [None]])
    assert schema(made).field("c0").type == pa.decimal128(12, 2)
    assert values(made) == [Decimal("1234.50"), Decimal("-0.01"), Decimal("7.00"), None]


@pytest.mark.parametrize("of", [columns(ValueType.DECIMAL), price(39, 2)], ids=["unknown digits", "too many digits"])
def test_a_decimal_that_no_type_is_sure_to_hold_stays_exact_as_text(of: tuple[FormatColumn, ...]) -> None:
    made = make(ParquetWriter, of, [["9" * 37 + ".10"]])
    assert values(made) == ["9" * 37 + ".10"]


def test_instants_are_on_the_clock_of_the_zone_that_was_asked_for() -> None:
    made = make(ParquetWriter, columns(ValueType.INSTANT), [["2025-10-30T15:15:00+01:00"]], time_zone="Europe/Berlin")
    assert schema(made).field("c0").type == pa.timestamp("us", tz="Europe/Berlin")
    assert values(made) == [datetime(2025, 10, 30, 15, 15, tzinfo=ZoneInfo("Europe/Berlin"))]


def test_an_instant_from_before_there_were_zones_keeps_its_value() -> None:
    made = make(
        ParquetWriter, columns(ValueType.INSTANT), [["1850-10-30T14:15:00+00:53:28"]], time_zone="Europe/Berlin"
    )
    assert values(made) == [datetime(1850, 10, 30, 13, 21, 32, tzinfo=UTC)]
    assert made.writer.adjustments == {}


@pytest.mark.parametrize(
    ("of", "cell"),
    [
        (columns(ValueType.INTEGER), str(2**63)),
        (columns(ValueType.INTEGER), ""),
        (columns(ValueType.DATE), "infinity"),
        (columns(ValueType.INSTANT), "infinityZ"),
        (columns(ValueType.BOOLEAN), "perhaps"),
        (price(4, 2), "123.45"),
        (price(4, 2), "NaN"),
    ],
)
def test_a_value_that_does_not_fit_is_empty_and_counted_and_its_neighbours_are_there(
    of: tuple[FormatColumn, ...], cell: str
) -> None:
    good = {ValueType.DATE: "2025-10-30", ValueType.INSTANT: "2025-10-30T14:15:00Z", ValueType.BOOLEAN: "true"}.get(
        of[0].kind, "7"
    )
    made = make(ParquetWriter, of, [[good], [cell], [None], [good]])
    first, lost, nothing, last = values(made)
    assert (lost, nothing) == (None, None)
    assert first == last is not None
    assert made.writer.adjustments == Counter(emptied_cells=1)


def test_bytes_are_sent_group_by_group() -> None:
    tape = WriteOnlyStream()
    writer = ParquetWriter(order_for(ParquetWriter, columns(ValueType.INTEGER)), tape)
    writer.open()
    part = block([["1"]] * BLOCK)
    for _ in range(2 * GROUP_ROWS // BLOCK + 2):
        writer.write(part)
    assert len(tape.writes) == 2
    writer.close()
    footer = pq.read_metadata(io.BytesIO(tape.data))
    assert footer.num_row_groups == 3
    assert footer.num_rows == writer.rows


def test_memory_holds_one_group_however_many_there_are() -> None:
    assert held(groups=4) < 1.5 * held(groups=1)


def held(groups: int) -> int:
    """Most bytes that Arrow holds between two blocks."""
    writer = ParquetWriter(order_for(ParquetWriter, columns(ValueType.TEXT)), WriteOnlyStream())
    writer.open()
    part = block([["x" * 100]] * BLOCK)
    before, most = pa.total_allocated_bytes(), 0
    for _ in range(groups * GROUP_ROWS // BLOCK + 1):
        writer.write(part)
        most = max(most, pa.total_allocated_bytes() - before)
    writer.close()
    return most


def test_long_text_makes_smaller_groups() -> None:
    part = [["x" * 1_000_000]] * 40
    made = make(ParquetWriter, columns(ValueType.TEXT), part * 4, 40)
    assert pq.read_metadata(io.BytesIO(made.data)).num_row_groups == 2


WITHOUT = """
import sys
sys.modules["pyarrow"] = sys.modules["zstandard"] = None
from rowferry.exports.formats import COMPRESS, format_writers
print(format_writers()["parquet"].missing, COMPRESS.missing)
"""


def test_without_its_library_a_format_and_a_choice_say_what_to_install() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True).stdout
    assert told == "pip install rowferry[parquet] {'zstd': 'pip install rowferry[zstd]'}\n"


def test_the_library_is_not_loaded_before_a_file_is_made() -> None:
    asked = (
        "import sys; from rowferry.exports import formats; formats.format_writers(); print('pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout == "False\n"
