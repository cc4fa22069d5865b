"""Computed columns: what only Python can say about a row, worked out between source and sink."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, CellBlock, split
from rowferry.exports.encoding.value_types import ValueType

CellWriter = Callable[[object], bytes]
NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
NO_NUMBER = re.compile(rb"-?(?:nan|inf(?:inity)?)", re.IGNORECASE)
DAY = re.compile(rb"\d[\d:.TZ+-]*")
CELL_PATTERNS = {
    ValueType.INTEGER: re.compile(rb"-?(?:0|[1-9]\d*)"),
    ValueType.DECIMAL: NUMBER,
    ValueType.FLOAT: NUMBER,
    ValueType.BOOLEAN: re.compile(rb"true|false|0|1"),
    ValueType.DATE: DAY,
    ValueType.INSTANT: DAY,
}
"""What formats write without quotes must look so, or it would end its cell: `7,"` is no integer."""


@dataclass(frozen=True, slots=True)
class Copied:
    """An output column that is input cell `index` as it stands."""

    index: int


@dataclass(frozen=True, slots=True)
class Computed:
    """An output column that `compute` makes of the texts at `needs`; `to_cell` turns its value into a cell."""

    compute: Callable[..., object]
    needs: tuple[int, ...]
    to_cell: CellWriter


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that was left out: its key, and why."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Transform:
    """Rows of `width` cells in, rows of `columns` out; the last input cell is the key. No computed column: nothing
    to do."""

    columns: tuple[Copied | Computed, ...]
    width: int

    @property
    def needed(self) -> bool:
        return any(isinstance(column, Computed) for column in self.columns)

    def apply(self, block: CellBlock) -> tuple[CellBlock, list[Failure]]:
        """The block with its computed columns, and the rows that had to be left out."""
        cells = split(block.data, block.rows, self.width)
        output_cells: list[bytes] = []
        failures: list[Failure] = []
        for start in range(0, len(cells), self.width):
            row = cells[start : start + self.width]
            try:
                output_cells += self._row(row)
            except Exception as error:  # a declared function may raise anything; the row is named and the rest goes on
                failures.append(Failure(row[-1].decode("utf-8", "replace"), f"{type(error).__name__}: {error}"))
        return CellBlock(CELL.join(output_cells), block.rows - len(failures)), failures

    def _row(self, row: Sequence[bytes]) -> list[bytes]:
        return [
            row[column.index]
            if isinstance(column, Copied)
            else column.to_cell(column.compute(*(readable(row[index]) for index in column.needs)))
            for column in self.columns
        ]


def validate_cell(cell: bytes, kind: ValueType) -> bytes:
    """The cell, behind IRREGULAR if it is NaN or an infinity. ValueError: it is none of its kind, and formats rely on
    that."""
    if cell == NULL or cell[:1] == IRREGULAR:
        return cell
    if kind in (ValueType.DECIMAL, ValueType.FLOAT) and NO_NUMBER.fullmatch(cell):
        return IRREGULAR + cell
    if kind is ValueType.JSON:
        json.loads(cell)
    elif kind in CELL_PATTERNS and not CELL_PATTERNS[kind].fullmatch(cell):
        raise ValueError(f"{cell.decode(errors='replace')!r} is no {kind}")
    return cell


def readable(cell: bytes) -> str | None:
    """What a computing function gets: text, or None."""
    return None if cell == NULL else cell.removeprefix(IRREGULAR).decode()
