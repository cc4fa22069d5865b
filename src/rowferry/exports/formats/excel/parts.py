"""The small parts of a workbook: those that are the same in each, and those that list its sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from rowferry.exports.formats import FileHeader
from rowferry.exports.formats.excel.text import xml_text
from rowferry.exports.formats.excel.tones import DIFFERENTIAL, STYLE_INDEX

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PACKAGE_TYPE = "application/vnd.openxmlformats-package"

PLAIN_STYLE, HEADER_STYLE, DATE_STYLE, INSTANT_STYLE, LABEL_STYLE, BOOLEAN_STYLE = range(6)
"""Indices into `cellXfs` below. Excel shows booleans as such in any format; LibreOffice needs one, or shows 1 now and
then."""
FONT = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
STYLES = (
    f'{XML}<styleSheet xmlns="{MAIN}">'
    r'<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>'
    r'<numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/>'
    '<numFmt numFmtId="166" formatCode="&quot;TRUE&quot;;&quot;TRUE&quot;;&quot;FALSE&quot;"/></numFmts>'
    f'<fonts count="2"><font>{FONT}</font><font><b/>{FONT}</font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE7ECF2"/></patternFill></fill></fills>'
    '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border><left/><right/><top/>'
    '<bottom style="thin"><color rgb="FF8497B0"/></bottom><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="2" borderId="1" xfId="0" applyFont="1" applyFill="1" applyBorder="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    f'<dxfs count="{len(STYLE_INDEX)}">{DIFFERENTIAL}</dxfs></styleSheet>'
).encode()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as the workbook lists it. `filter_range` = the range of its filter, `$A$1:$M$201`; "" = it has none."""

    name: str
    filter_range: str = ""


def opening(order: FileHeader) -> dict[str, bytes]:
    """Parts that are known before the first row; the names at the start of a ZIP are how programs tell what it is."""
    return {
        "_rels/.rels": relations(
            (f"{OFFICE}/relationships/officeDocument", "xl/workbook.xml"),
            (f"{PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            (f"{OFFICE}/relationships/extended-properties", "docProps/app.xml"),
        ),
        "docProps/core.xml": core_properties(order),
        "docProps/app.xml": (
            f'{XML}<Properties xmlns="{OFFICE}/extended-properties">'
            f"<Application>{xml_text(order.program)}</Application></Properties>"
        ).encode(),
        "xl/styles.xml": STYLES,
    }


def closing(sheets: Sequence[Sheet]) -> dict[str, bytes]:
    """Parts that list the sheets, which are `xl/worksheets/sheet1.xml` and so on."""
    paths = [f"worksheets/sheet{number}.xml" for number in range(1, len(sheets) + 1)]
    return {
        "xl/workbook.xml": workbook(sheets),
        "xl/_rels/workbook.xml.rels": relations(
            *((f"{OFFICE}/relationships/worksheet", path) for path in paths),
            (f"{OFFICE}/relationships/styles", "styles.xml"),
        ),
        "[Content_Types].xml": content_types(paths),
    }


def relations(*targets: tuple[str, str]) -> bytes:
    """`rId1`, `rId2`, … in the order given as (type, target)."""
    elements = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>' for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{elements}</Relationships>'.encode()


def core_properties(order: FileHeader) -> bytes:
    created = order.exported_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'{XML}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{xml_text(order.resource_label)}</dc:title>"
        f"<dc:creator>{xml_text(order.actor or order.program)}</dc:creator>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{created}</dcterms:created></cp:coreProperties>'
    ).encode()


def workbook(sheets: Sequence[Sheet]) -> bytes:
    sheet_elements = "".join(
        f'<sheet name="{xml_text(sheet.name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in enumerate(sheets, 1)
    )
    names = "".join(hidden_names(sheet, index) for index, sheet in enumerate(sheets) if sheet.filter_range)
    return (
        f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships"><bookViews><workbookView/></bookViews>'
        f"<sheets>{sheet_elements}</sheets><definedNames>{names}</definedNames></workbook>"
    ).encode()


def hidden_names(sheet: Sheet, index: int) -> str:
    """Excel repairs a sheet whose filter has no such name. The other one repeats the header on each printed page."""
    name = xml_text(sheet.name.replace("'", "''"))
    return (
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{index}" hidden="1">'
        f"'{name}'!{sheet.filter_range}</definedName>"
        f'<definedName name="_xlnm.Print_Titles" localSheetId="{index}">'
        f"'{name}'!$1:$1</definedName>"
    )


def content_types(sheet_paths: Sequence[str]) -> bytes:
    types = {
        "/xl/workbook.xml": f"{SHEET_TYPE}.sheet.main+xml",
        "/xl/styles.xml": f"{SHEET_TYPE}.styles+xml",
        "/docProps/core.xml": f"{PACKAGE_TYPE}.core-properties+xml",
        "/docProps/app.xml": "application/vnd.openxmlformats-officedocument.extended-properties+xml",
    } | {f"/xl/{path}": f"{SHEET_TYPE}.worksheet+xml" for path in sheet_paths}
    overrides = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in types.items())
    return (
        f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{PACKAGE_TYPE}.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    ).encode()
