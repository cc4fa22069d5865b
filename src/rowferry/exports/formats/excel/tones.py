"""Colours for values that a project says something about: one rule for a column, none for a cell."""

from __future__ import annotations

from itertools import count

from rowferry.exports.encoding.value_types import Severity, ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.excel.text import xml_text

COLOURS = {
    Severity.GOOD: ("FF006100", "FFC6EFCE"),
    Severity.INFO: ("FF1F4E78", "FFDDEBF7"),
    Severity.WARNING: ("FF7F6000", "FFFFEB9C"),
    Severity.BAD: ("FF9C0006", "FFFFC7CE"),
    Severity.QUIET: ("FF595959", "FFF2F2F2"),
}
"""Letters and ground: those of Excel's own cell styles, dark enough on light enough to be read."""
DIFFERENTIAL = "".join(
    f'<dxf><font><color rgb="{letters}"/></font><fill><patternFill><bgColor rgb="{ground}"/></patternFill></fill></dxf>'
    for letters, ground in COLOURS.values()
)
"""The styles that rules point to, by their place."""
STYLE_INDEX = {tone: place for place, tone in enumerate(COLOURS)}


def rules(columns: tuple[FormatColumn, ...], ranges: list[str]) -> str:
    """The rules of a sheet; `ranges` = where the values of each column stand, as `C2:C201`."""
    priority = count(1)
    toned_columns = ((cell_range, column) for column, cell_range in zip(columns, ranges, strict=True) if column.tones)
    rule_elements = (
        (cell_range, "".join(_rule(column, value, next(priority)) for value in column.tones))
        for cell_range, column in toned_columns
    )
    return "".join(
        f'<conditionalFormatting sqref="{cell_range}">{rules_xml}</conditionalFormatting>'
        for cell_range, rules_xml in rule_elements
    )


def _rule(column: FormatColumn, value: str, priority: int) -> str:
    """The value stands in a formula of the rule, as a constant. It is the project's, and never one of the data's."""
    constant = value.upper() if column.kind is ValueType.BOOLEAN else '"' + value.replace('"', '""') + '"'
    return (
        f'<cfRule type="cellIs" dxfId="{STYLE_INDEX[column.tones[value]]}" priority="{priority}" operator="equal">'
        f"<formula>{xml_text(constant)}</formula></cfRule>"
    )
