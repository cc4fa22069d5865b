"""How rows look in a file, for a source that can write them itself: a sink says it, a reader may heed it."""

from __future__ import annotations

from dataclasses import dataclass

EXACT_DIGITS = 15
"""Decimal digits that survive in the floating point number of a spreadsheet."""


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Lines of cells, each with CRLF at its end. `quoted` says it of each column; NULL is nothing.

    `guard` = a value that is not valid for its column, and so is written as text, gets `'` before what a spreadsheet
    would take for a formula.
    """

    delimiter: str
    quoted: tuple[bool, ...]
    guard: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """One key of an object and what it holds: the column `index`, or an object of `members`, null if all of them
    are."""

    key: str
    index: int = -1
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class JsonRows:
    """JSON objects with `separator` between them, and none after the last of a block."""

    members: tuple[Member, ...]
    separator: bytes


@dataclass(frozen=True, slots=True)
class MarkedCells:
    """Cells as in a block, for a spreadsheet. What is not of `texts` is a number (dates are serial numbers, booleans
    digits). In such a column, a value that is not valid stands behind IRREGULAR, and one that a sheet does not hold as
    a number behind AS_TEXT.
    """

    texts: tuple[bool, ...]


PushDown = CsvRows | JsonRows | MarkedCells
