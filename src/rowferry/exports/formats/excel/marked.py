"""Blocks whose source has looked at each number: if their text is plain, no cell is looked at.

What is not plain is left to `grid`: control characters, text that is no UTF-8, something else than a number in a column
of numbers, a cell that may be too long.
"""

from __future__ import annotations

from rowferry.exports.encoding.blocks import CELL, CellBlock, has_valid_nulls
from rowferry.exports.formats.excel.text import PLAIN, escape_xml, has_edge_blanks, has_long_cell, is_xml


def plain_cells(block: CellBlock, width: int) -> tuple[list[bytes], bool] | None:
    """The cells, escaped, and whether their white space must be preserved; None: some cell asks for a closer look."""
    data = block.data
    if not is_xml(data.translate(PLAIN)) or has_long_cell(data) or not has_valid_nulls(data):
        return None
    cells = escape_xml(data).split(CELL)
    return (cells, has_edge_blanks(data)) if len(cells) == block.rows * width else None
