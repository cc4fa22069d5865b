"""A block of cells: what flows from a source to a sink.

A block is some thousand rows in ONE buffer: row-major cells of UTF-8 text, joined by `CELL`; a cell that is exactly
`NULL` has no value. A cell of a type other than text is valid for it, or begins with `IRREGULAR`; a cell of text never
does. The marks are bytes that no valid UTF-8 holds, so user text with any control character comes
through. Joined, because a sink escapes the whole buffer with a few `bytes.replace`, splits it once, and glues the
cells to the literals between its columns without any bytecode per cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rowferry.exports.errors import SourceFault

CELL = b"\xfe"
NULL = b"\xff"
SPARE = b"\xfd"
"""A third impossible byte, free for a sink's or a source's own marks within one call."""
IRREGULAR = b"\xfb"
"""Before a cell whose value is not valid for the type of its column: the rest of the cell is the stored text."""
AS_TEXT = b"\xfc"
"""In rows for a spreadsheet, before a valid value that it does not hold as a number: too many digits, too early a
day."""
SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
"""Half of a pair of UTF-16, as Python writes it when told to: no UTF-8."""
REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class CellBlock:
    """`rows` rows; `data` = `rows × width` cells joined by CELL (no mark at the end).

    `is_encoded` = instead of cells, the lines that the format's `pushdown` asks for, with their ends. `cells` gives
    the same rows as cells, where the push-down allows for lines that the format cannot use.
    """

    data: bytes
    rows: int
    is_encoded: bool = False
    cells: Callable[[], CellBlock] | None = field(default=None, compare=False)


def split(data: bytes, rows: int, width: int) -> list[bytes]:
    """Cut a (perhaps escaped) buffer into its `rows × width` cells; a buffer of another size is a SourceFault."""
    cells = data.split(CELL)
    if len(cells) != rows * width:
        raise SourceFault(f"A block of {rows} rows and {width} columns holds {len(cells)} cells.")
    return cells


def has_valid_nulls(data: bytes) -> bool:
    """Whether each NULL mark is a cell of its own, not a byte of broken text. A lone one could still be either."""
    marks = data.count(NULL)
    if not marks:
        return True
    cell_starts = data.count(CELL + NULL) + data.startswith(NULL)
    cell_ends = data.count(NULL + CELL) + data.endswith(NULL)
    return cell_ends == cell_starts == marks


def is_utf8(data: bytes) -> bool:
    """Whether it can be read. Most data is ASCII, which is seen without a copy of it all."""
    if data.isascii():
        return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def replace_lone_surrogates(data: bytes, counts: Counter[str]) -> bytes:
    """The buffer with U+FFFD for each lone surrogate; adds to `replaced_characters`."""
    if b"\xed" not in data:
        return data
    repaired, replaced = SURROGATE.subn(REPLACEMENT, data)
    if replaced:
        counts["replaced_characters"] += replaced
    return repaired


def join_cells(cells: Sequence[bytes], literals: Sequence[bytes], first: bytes, last: bytes) -> bytes:
    """One buffer of `first cell literal cell literal … cell last`.

    `literals[i]` stands BEFORE column i of every row but the very first cell, which `first` precedes; so
    `literals[0]` is what separates two rows.
    """
    pairs = 2 * len(cells)
    parts: list[bytes] = [last] * (pairs + 1)
    parts[0:pairs:2] = list(literals) * (len(cells) // len(literals))
    parts[1:pairs:2] = cells
    parts[0] = first
    return b"".join(parts)
