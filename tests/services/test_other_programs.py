"""Files read back by programs outside Python: LibreOffice, and libraries of JavaScript."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatWriter, format_writers
from rowferry.exports.formats.excel import ExcelWriter
from tests.exports.formats.corpus import TEXTS, in_format, many_rows
from tests.exports.formats.files import columns, make
from tests.services.readers import by_libreoffice, by_node

pytestmark = pytest.mark.services
MIXED = columns(ValueType.TEXT, ValueType.INTEGER, ValueType.IDENTIFIER, ValueType.DATE, ValueType.BOOLEAN)
ROWS = 2_000


class SmallSheets(ExcelWriter):
    max_rows: ClassVar[int] = 700


def hostile() -> list[tuple[str | None, ...]]:
    """Each hostile text, and a mixture of them: the same rows each time."""
    rows = [(text, str(number), text) for number, text in enumerate(TEXTS.values())]
    return [*rows, *((first, str(number), last) for first, number, last in many_rows(7, [], ROWS))]


def write_file(writer_class: type[FormatWriter], folder: Path) -> Path:
    path = folder / f"file.{writer_class.extension}"
    day, flag = ("45960", "1") if writer_class.forms else ("2025-10-30", "true")
    path.write_bytes(make(writer_class, MIXED, [(*row, day, flag) for row in hostile()]).data)
    return path


def expected_rows(name: str) -> list[list[str]]:
    """Text, number, text; nothing and empty text are the same to these programs."""
    return [
        [in_format(name, first or ""), str(number), in_format(name, last or "")] for first, number, last in hostile()
    ]


def read(rows: list[list[Any]]) -> list[list[str]]:
    return [["" if value is None else str(value) for value in row[:3]] for row in rows]


def one_kind_of_line_end(rows: list[list[str]]) -> list[list[str]]:
    """LibreOffice has one way to break a line in a cell."""
    return [[value.replace("\r\n", "\n").replace("\r", "\n") for value in row] for row in rows]


@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_papa_parse_reads_what_was_written(name: str, tmp_path: Path) -> None:
    header, *rows = by_node(write_file(format_writers()[name], tmp_path), name)["table"]
    assert header == [column.name for column in MIXED]
    assert read(rows) == expected_rows(name)
    assert {tuple(row[3:]) for row in rows} == {("2025-10-30", "true")}


@pytest.mark.parametrize("writer_class", [ExcelWriter, SmallSheets])
def test_sheetjs_reads_what_was_written_and_sees_no_formula(writer_class: type[FormatWriter], tmp_path: Path) -> None:
    found = by_node(write_file(writer_class, tmp_path), "sheetjs")
    assert list(found)[-1] == "About this export"
    rows = [row for name, sheet in found.items() if name != "About this export" for row in sheet[1:]]
    assert read(rows) == expected_rows("excel")
    assert {tuple(row[3:]) for row in rows} == {(45960, True)}


def without_line_ends(row: list[str]) -> list[str]:
    """Some of these programs take other ends of lines for `\\n`, and NaN for nothing."""
    return ["" if text == "NaN" else re.sub("[\x85\u2028]", "\n", text) for text in row]


def escaped(row: list[str]) -> list[str]:
    """They leave Excel's escape of a text such as `_x0041_` as it stands."""
    return [re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text) for text in row]


@pytest.mark.parametrize("writer_class", [ExcelWriter, SmallSheets])
@pytest.mark.parametrize("program", ["exceljs", "read-excel-file", "xlsx-populate"])
def test_readers_that_need_references_read_what_was_written(
    program: str, writer_class: type[FormatWriter], tmp_path: Path
) -> None:
    found = by_node(write_file(writer_class, tmp_path), program)
    about = found.pop("About this export")
    assert about[0] == ["Resource", "Assets"]
    rows = [row for sheet in found.values() for row in sheet[1:]]
    assert [sheet[0] for sheet in found.values()] == [[column.name for column in MIXED]] * len(found)
    expected = map(escaped, expected_rows("excel"))
    assert list(map(without_line_ends, read(rows))) == list(map(without_line_ends, expected))
    assert {row[4] for row in rows} == {True}


@pytest.mark.parametrize("writer_class", [ExcelWriter, SmallSheets])
def test_libreoffice_reads_files_and_repairs_nothing(writer_class: type[FormatWriter], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    made = {path.stem: lines(path) for path in by_libreoffice(write_file(writer_class, tmp_path), out)}
    assert "file-About this export" in made
    rows = [row for name, sheet in sorted(made.items()) if "About" not in name for row in sheet[1:]]
    assert one_kind_of_line_end(read(rows)) == one_kind_of_line_end(expected_rows("excel"))
    assert {tuple(row[3:]) for row in rows} == {("2025-10-30", "TRUE")}


def test_libreoffice_shows_booleans_as_such_whatever_stands_beside_them(tmp_path: Path) -> None:
    """Without a format of their own it shows some of them as 1 and 0, by what the next cell is."""
    of = columns(ValueType.BOOLEAN, ValueType.INSTANT, ValueType.BOOLEAN)
    rows = [(str(number % 2), "45960.5" if number % 3 else None, str(number % 2)) for number in range(30)]
    path, out = tmp_path / "file.xlsx", tmp_path / "out"
    out.mkdir()
    path.write_bytes(make(ExcelWriter, of, rows).data)
    (page,) = by_libreoffice(path, out, "html:HTML (StarCalc)")
    shown = re.findall(r">(TRUE|FALSE|0|1)</", page.read_text())
    assert shown == ["FALSE", "FALSE", "TRUE", "TRUE"] * 15


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))
