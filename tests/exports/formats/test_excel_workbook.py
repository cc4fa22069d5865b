"""The workbook around the values: parts, sheets, header, filter, the sheet about the export."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Any, ClassVar
from xml.etree import ElementTree

import pytest

from rowferry.exports.encoding.value_types import Severity, ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.excel import ExcelWriter
from rowferry.exports.formats.excel.row_xml import column_letters
from rowferry.exports.formats.excel.sheet import sheet_name
from rowferry.exports.formats.excel.tones import COLOURS
from tests.exports.formats.files import columns, excel_rows, make, workbook

NUMBERED = columns(ValueType.INTEGER, ValueType.TEXT)
LEVELS = FormatColumn(
    "level", "Level", ValueType.TEXT, tones={"High": Severity.BAD, 'say "low" & <leave>': Severity.QUIET}
)
FLAG = FormatColumn("flag", "Flag", ValueType.BOOLEAN, tones={"true": Severity.GOOD})
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class TenRows(ExcelWriter):
    max_rows: ClassVar[int] = 10


class SmallSheets(ExcelWriter):
    max_sheet_bytes: ClassVar[int] = 5000


def numbered_rows(count: int) -> list[tuple[str, str]]:
    return [(str(number), f"row {number}") for number in range(count)]


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize("count", [0, 1, 8, 9])
def test_rows_within_the_limit_need_one_sheet(count: int) -> None:
    assert workbook(make(TenRows, NUMBERED, numbered_rows(count)).data).sheetnames == ["Assets", "About this export"]


@pytest.mark.parametrize("size", [1, 4, 9, 10, 100])
def test_rows_beyond_the_limit_go_to_further_sheets_with_the_same_header(size: int) -> None:
    made = make(TenRows, NUMBERED, numbered_rows(25), size)
    book = workbook(made.data)
    assert book.sheetnames == ["Assets", "Assets 2", "Assets 3", "About this export"]
    assert [excel_rows(made.data, sheet) for sheet in range(3)] == [
        [[number, f"row {number}"] for number in part] for part in (range(9), range(9, 18), range(18, 25))
    ]
    assert {sheet["A1"].value for sheet in book.worksheets[:3]} == {"c0"}
    assert [sheet.auto_filter.ref for sheet in book.worksheets[:3]] == ["A1:B10", "A1:B10", "A1:B8"]


def test_a_sheet_ends_before_its_xml_is_too_long() -> None:
    made = make(SmallSheets, NUMBERED, numbered_rows(200), 10)
    sheets = [xml for name, xml in parts(made.data).items() if name.startswith("xl/worksheets/")]
    assert len(sheets) > 3
    assert max(map(len, sheets)) < 5000 + 500
    rows = [row for sheet in range(len(sheets) - 1) for row in excel_rows(made.data, sheet)]
    assert rows == [[number, f"row {number}"] for number in range(200)]


def test_the_header_is_bold_frozen_and_has_a_filter() -> None:
    sheet = workbook(make(ExcelWriter, NUMBERED, numbered_rows(3), headers="labels").data).worksheets[0]
    assert [(cell.value, cell.font.b) for cell in sheet[1]] == [("Column 0", True), ("Column 1", True)]
    assert not sheet["A2"].font.b
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B4"


def test_each_filter_has_the_hidden_name_that_excel_looks_for() -> None:
    xml = parts(make(TenRows, NUMBERED, numbered_rows(12), resource_label="Bob's").data)["xl/workbook.xml"].decode()
    names = re.findall(r'<definedName name="_xlnm._FilterDatabase" localSheetId="(\d)" hidden="1">(.*?)<', xml)
    assert names == [("0", "'Bob''s'!$A$1:$B$10"), ("1", "'Bob''s 2'!$A$1:$B$4")]


def test_one_sheet_is_selected() -> None:
    sheets = [xml for name, xml in parts(make(TenRows, NUMBERED, numbered_rows(25)).data).items() if "/sheet" in name]
    assert [xml.count(b"tabSelected") for xml in sheets] == [1, 0, 0, 0]


def test_the_elements_of_a_sheet_stand_in_the_order_of_the_schema() -> None:
    data = make(ExcelWriter, (NUMBERED[0], LEVELS), numbered_rows(2)).data
    root = ElementTree.fromstring(parts(data)["xl/worksheets/sheet1.xml"])
    assert [child.tag.removeprefix(MAIN) for child in root] == [
        "sheetPr",
        "sheetViews",
        "sheetFormatPr",
        "cols",
        "sheetData",
        "autoFilter",
        "conditionalFormatting",
        "pageSetup",
        "ignoredErrors",
    ]


def test_every_part_is_xml_with_a_content_type_and_every_relation_leads_somewhere() -> None:
    found = parts(make(TenRows, NUMBERED, numbered_rows(12)).data)
    types = found["[Content_Types].xml"].decode()
    for name, xml in found.items():
        assert ElementTree.fromstring(xml) is not None
        assert f'PartName="/{name}"' in types or name.endswith(".rels") or name == "[Content_Types].xml"
    targets = re.findall('Target="(.*?)"', found["_rels/.rels"].decode())
    targets += ["xl/" + to for to in re.findall('Target="(.*?)"', found["xl/_rels/workbook.xml.rels"].decode())]
    assert set(targets) <= set(found)


def test_text_columns_and_numbers_kept_as_text_get_no_warnings() -> None:
    of = columns(ValueType.INTEGER, ValueType.IDENTIFIER, ValueType.INTEGER)
    xml = parts(make(ExcelWriter, of, [("1", "007", str(2**60))]).data)["xl/worksheets/sheet1.xml"].decode()
    assert '<ignoredError sqref="B1:B2 C1:C2" numberStoredAsText="1"/>' in xml
    only_numbers = parts(make(ExcelWriter, columns(ValueType.INTEGER), [("1",)]).data)["xl/worksheets/sheet1.xml"]
    assert b"ignoredError" not in only_numbers


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("text", "preserved"), [("a b", 0), (" a", 3), ("a ", 3), ("a\nb", 3), ("a\tb", 3)])
def test_white_space_is_marked_only_in_blocks_that_need_it(text: str, preserved: int, place: int) -> None:
    rows = [["plain"], ["plain"], ["plain"]]
    rows[place] = [text]
    xml = parts(make(ExcelWriter, columns(ValueType.TEXT), rows).data)["xl/worksheets/sheet1.xml"]
    assert xml.split(b"</row>", 1)[1].count(b"xml:space") == preserved


def test_values_that_a_column_says_something_about_are_coloured_by_rules() -> None:
    rows = [("1", "High"), ("0", None)] * 6
    book = workbook(make(TenRows, (LEVELS, NUMBERED[1], FLAG), [(level, "x", flag) for flag, level in rows]).data)
    for sheet, last in ((book.worksheets[0], 10), (book.worksheets[1], 4)):
        found = {
            str(area.sqref): [(rule.type, rule.operator, rule.formula, ground(rule)) for rule in area.rules]
            for area in sheet.conditional_formatting
        }
        assert found == {
            f"A2:A{last}": [
                ("cellIs", "equal", ['"High"'], "FFFFC7CE"),
                ("cellIs", "equal", ['"say ""low"" & <leave>"'], "FFF2F2F2"),
            ],
            f"C2:C{last}": [("cellIs", "equal", ["TRUE"], "FFC6EFCE")],
        }
        priorities = [rule.priority for area in sheet.conditional_formatting for rule in area.rules]
        assert priorities == [1, 2, 3]


def ground(rule: Any) -> str:
    return str(rule.dxf.fill.bgColor.rgb)


def test_a_sheet_of_no_rows_and_columns_of_which_nothing_is_said_have_no_rules() -> None:
    for data in (make(ExcelWriter, (LEVELS,), []).data, make(ExcelWriter, NUMBERED, numbered_rows(2)).data):
        assert b"conditionalFormatting" not in parts(data)["xl/worksheets/sheet1.xml"]


def test_letters_on_their_ground_can_be_read() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 at least."""
    for letters, behind in COLOURS.values():
        light, dark = sorted((luminance(behind), luminance(letters)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (2, 4, 6)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_each_printed_page_is_as_wide_as_the_sheet_and_repeats_the_header() -> None:
    sheet = workbook(make(ExcelWriter, NUMBERED, numbered_rows(3)).data).worksheets[0]
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)


def test_widths_come_from_title_and_data_within_bounds() -> None:
    of = (
        FormatColumn("n", "n", ValueType.INTEGER),
        FormatColumn("t", "t", ValueType.TEXT),
        FormatColumn("much longer than its cells", "l", ValueType.TEXT),
        FormatColumn("d", "d", ValueType.DATE),
        FormatColumn("x", "x", ValueType.TEXT),
    )
    rows = [("1", "é" * 29, "", "45960", "x" * 500), ("2", None, None, None, "x\n" * 500)]
    sheet = workbook(make(ExcelWriter, of, rows).data).worksheets[0]
    assert [sheet.column_dimensions[letter].width for letter in "ABCDE"] == [8, 30, 30, 12, 60]


def test_the_last_sheet_says_what_the_file_is() -> None:
    made = make(
        ExcelWriter,
        NUMBERED,
        numbered_rows(3),
        actor="operator",
        on_behalf_of="Olga Owner",
        filters={"search": "<é> \x00\ud800", "status_id": [1, None]},
        sort_by="c1",
        sort_order="desc",
        time_zone="Europe/Berlin",
    )
    sheet = workbook(made.data).worksheets[-1]
    assert sheet.title == "About this export"
    assert {row[0]: row[1] for row in sheet.iter_rows(values_only=True)} == {
        "Resource": "Assets",
        "Format": "excel",
        "As of": "2025-10-30 14:15:07 UTC",
        "Requested by": "operator",
        "On behalf of": "Olga Owner",
        "Rows": "3",
        "Filter: search": "<é> \ufffd\ufffd",
        "Filter: status_id": "[1, null]",
        "Sorted by": "c1 (desc)",
        "Columns": "c0, c1",
        "Time zone": "Europe/Berlin",
        "Export id": "5f0c",
        "Program": "Rowferry",
    }
    assert not made.writer.adjustments


def test_the_last_sheet_says_what_is_not_as_it_was() -> None:
    made = make(ExcelWriter, columns(ValueType.TEXT), [("\x00\x01",), ("x" * 40_000,)], item_count=5)
    facts = {row[0]: row[1] for row in workbook(made.data).worksheets[-1].iter_rows(values_only=True)}
    found = {name: facts.get(name) for name in ("Rows", "Rows left out", "Replaced characters", "Shortened cells")}
    assert found == {"Rows": "2", "Rows left out": "3", "Replaced characters": "2", "Shortened cells": "1"}


def test_the_last_sheet_leaves_out_what_nobody_knows() -> None:
    labels = {
        row[0] for row in workbook(make(ExcelWriter, NUMBERED, []).data).worksheets[-1].iter_rows(values_only=True)
    }
    assert labels == {"Resource", "Format", "As of", "Rows", "Columns", "Time zone", "Export id", "Program"}


def test_the_workbook_knows_its_title_author_and_time() -> None:
    properties = workbook(make(ExcelWriter, NUMBERED, [], actor="Olga <Owner>").data).properties
    assert (properties.title, properties.creator) == ("Assets", "Olga <Owner>")
    assert properties.created == datetime(2025, 10, 30, 14, 15, 7)


@pytest.mark.parametrize(
    ("label", "taken", "expected"),
    [
        ("Assets", [], "Assets"),
        ("Assets", ["Assets"], "Assets 2"),
        ("assets", ["Assets", "Assets 2"], "assets 3"),
        ("IT [all]: a/b\\c*?", [], "IT all a b c"),
        ("'quoted'", [], "quoted"),
        ("[]", [], "Export"),
        ("History", [], "History 2"),
        ("x" * 40, [], "x" * 31),
        ("x" * 40, ["x" * 31], "x" * 29 + " 2"),
        ("🚀" * 20, [], "🚀" * 15),
        ("About this export", ["About this export"], "About this export 2"),
    ],
)
def test_sheet_names_are_what_excel_allows(label: str, taken: list[str], expected: str) -> None:
    assert sheet_name(label, taken) == expected


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_are_lettered_as_in_excel(index: int, letters: str) -> None:
    assert column_letters(index) == letters


@pytest.mark.parametrize("sizes", [[1], [99], [100], [250, 120]])
def test_each_row_and_each_cell_says_where_it_is(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExcelWriter, "max_rows", 220)
    kinds = columns(*[ValueType.INTEGER, ValueType.TEXT, ValueType.DATE] * 10)
    rows = [
        [None if (row + index) % 4 == 0 else "1" * (1 + 19 * (row == 7)) for index in range(len(kinds))]
        for row in range(sum(sizes))
    ]
    with zipfile.ZipFile(io.BytesIO(make(ExcelWriter, kinds, rows, sizes[0]).data)) as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
    for sheet in sheets:
        numbers = re.findall(rb'<row r="(\d+)">', sheet)
        assert numbers == [b"%d" % number for number in range(1, sheet.count(b"<row ") + 1)]
        for number, row in zip(numbers, sheet.split(b"<row ")[1:], strict=True):
            letters = [found.decode() for found in re.findall(rb'<c r="([A-Z]+)' + number + rb'"', row)]
            assert len(letters) == row.count(b"<c ")
            assert letters == sorted(letters, key=lambda name: (len(name), name))
            assert letters[-1] == ("B" if sheet is sheets[-1] else "AD"), "the last cell is there, with a value or not"
