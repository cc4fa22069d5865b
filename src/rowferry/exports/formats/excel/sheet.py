"""What stands around the rows of a sheet: its name, the widths and the frozen header before, the filter after."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import count

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.excel.parts import HEADER_STYLE, MAIN, XML
from rowferry.exports.formats.excel.row_xml import column_letters
from rowferry.exports.formats.excel.text import cut, xml_text
from rowferry.exports.formats.excel.tones import rules

FORBIDDEN_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f]+")
HEADER_ROW = 1
NAME_UNITS = 31
RESERVED_NAMES = ("history",)
"""A sheet of this name is Excel's own."""
FIXED_WIDTHS = {ValueType.DATE: 12, ValueType.INSTANT: 20}
NARROWEST, WIDEST = 8, 60
FILTER_BUTTON = 4
"""Characters that the button of the filter takes from a title."""


def sheet_name(label: str, used_names: Collection[str]) -> str:
    """The label as far as Excel allows it, numbered from the second sheet on: "Assets", "Assets 2"."""
    base = " ".join(FORBIDDEN_IN_NAMES.sub(" ", label).split()).strip("' ") or "Export"
    reserved = {*RESERVED_NAMES, *(name.casefold() for name in used_names)}
    suffixes = ("" if number == 1 else f" {number}" for number in count(1))
    names = (cut(base, NAME_UNITS - len(suffix)).rstrip("' ") + suffix for suffix in suffixes)
    return next(name for name in names if name.casefold() not in reserved)


def column_widths(titles: Sequence[str], columns: Sequence[FormatColumn], cells: Sequence[bytes]) -> list[int]:
    """Characters that each column needs for its title and for these cells, within reason."""
    widths = []
    for index, (title, column) in enumerate(zip(titles, columns, strict=True)):
        needed = FIXED_WIDTHS.get(column.kind) or longest_line(cells[index :: len(columns)]) + 1
        widths.append(min(max(NARROWEST, needed, len(title) + FILTER_BUTTON), WIDEST))
    return widths


def longest_line(cells: Iterable[bytes]) -> int:
    return max(map(len, b"\n".join(cells).decode(errors="replace").splitlines()), default=0)


def head(titles: Sequence[str], widths: Sequence[int], selected: bool) -> bytes:
    """Everything before the first row of data. One sheet of a workbook is `selected`, and no more."""
    view = '<sheetView tabSelected="1" workbookViewId="0">' if selected else '<sheetView workbookViewId="0">'
    header = string_row(HEADER_ROW, ((title, HEADER_STYLE) for title in titles))
    return (
        f'{XML}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews>{view}'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>'
        '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
        f"{columns_element(widths)}<sheetData>{header}"
    ).encode()


def tail(columns: tuple[FormatColumn, ...], rows: int, as_text: Iterable[int]) -> bytes:
    """Everything after the last row: filter, colours, and how it is printed (each page as wide as the sheet).

    Columns `as_text` get no green triangles for numbers stored as text.
    """
    letters = [column_letters(index) for index in range(len(columns))]
    ranges = " ".join(f"{letters[index]}1:{letters[index]}{rows + 1}" for index in sorted(as_text))
    ignored_errors = (
        f'<ignoredErrors><ignoredError sqref="{ranges}" numberStoredAsText="1"/></ignoredErrors>' if as_text else ""
    )
    filter_range = data_range(len(columns), rows).replace("$", "")
    colour_rules = rules(columns, [f"{letter}2:{letter}{rows + 1}" for letter in letters]) if rows else ""
    return (
        f'</sheetData><autoFilter ref="{filter_range}"/>{colour_rules}'
        f'<pageSetup orientation="landscape" fitToHeight="0"/>{ignored_errors}</worksheet>'
    ).encode()


def data_range(width: int, rows: int) -> str:
    """Header and rows, as `$A$1:$M$201`."""
    return f"$A$1:${column_letters(width - 1)}${rows + 1}"


def columns_element(widths: Iterable[int]) -> str:
    sizes = "".join(f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths, 1))
    return f"<cols>{sizes}</cols>"


def string_row(number: int, values: Iterable[tuple[str, int]]) -> str:
    """A row of texts, each with its style."""
    cells = "".join(
        f'<c r="{column_letters(index)}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
        f"{xml_text(value)}</t></is></c>"
        for index, (value, style) in enumerate(values)
    )
    return f'<row r="{number}">{cells}</row>'
