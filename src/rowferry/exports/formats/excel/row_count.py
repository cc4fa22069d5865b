"""The rows of a finished workbook, by Python's own zip and XML readers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from rowferry.exports.encoding.row_count import RowCount
from rowferry.exports.formats.excel.about import NAME as ABOUT

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINKED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def count_rows(file: Any) -> RowCount:
    """The rows of all sheets but the one about the export. Raises ValueError if it is no workbook of ours."""
    try:
        return _count(file)
    except (zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise ValueError(str(error)) from error


def _count(file: Any) -> RowCount:
    rows, columns = 0, list[str]()
    with zipfile.ZipFile(file) as book:
        for path in _sheets(book):
            with book.open(path) as sheet:
                found = _rows(sheet)
                titles = next(found)
                if columns and titles != columns:
                    raise ValueError("its sheets have other columns than the first")
                columns = titles
                rows += sum(1 for _ in found)
    return RowCount(rows, columns)


def _sheets(book: zipfile.ZipFile) -> Iterator[str]:
    """Where the sheets with rows are, in their order."""
    links = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  (expat bounds expansion)
    target = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{MAIN}sheet"):  # noqa: S314
        if sheet.get("name") != ABOUT:
            yield f"xl/{target[sheet.get(LINKED)].removeprefix('/xl/')}"


def _rows(sheet: Any) -> Iterator[list[str]]:
    """The text of each row's cells."""
    for _, element in ElementTree.iterparse(sheet):  # noqa: S314
        if element.tag == f"{MAIN}row":
            yield ["".join(cell.itertext()) for cell in element]
            element.clear()
        elif element.tag == f"{MAIN}sheetData":
            return
