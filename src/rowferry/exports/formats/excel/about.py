"""The sheet "About this export": what was asked for, when, by whom. For those who get the file without its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC

from rowferry.exports.formats import FileHeader
from rowferry.exports.formats.excel.parts import LABEL_STYLE, MAIN, PLAIN_STYLE, XML
from rowferry.exports.formats.excel.sheet import columns_element, string_row

NAME = "About this export"
WIDTHS = (20, 60)


ADJUSTED = {
    "irregular_values": "Values not valid for their column",
    "replaced_characters": "Replaced characters",
    "shortened_cells": "Shortened cells",
    "emptied_cells": "Emptied cells",
}


def about_sheet(order: FileHeader, rows: int, adjustments: Mapping[str, int]) -> bytes:
    """Two columns of plain strings; what is not known, or did not come to pass, has no line."""
    known = [(label, value) for label, value in facts(order, rows, adjustments) if value]
    lines = "".join(
        string_row(number, ((label, LABEL_STYLE), (value, PLAIN_STYLE)))
        for number, (label, value) in enumerate(known, 1)
    )
    return (
        f'{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"/></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/>{columns_element(WIDTHS)}<sheetData>{lines}</sheetData></worksheet>'
    ).encode()


def facts(order: FileHeader, rows: int, adjustments: Mapping[str, int]) -> list[tuple[str, str]]:
    return [
        ("Resource", order.resource_label),
        ("Format", order.format),
        ("As of", order.exported_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Requested by", order.actor),
        ("On behalf of", order.on_behalf_of),
        ("Rows", str(rows)),
        ("Rows left out", str((order.item_count or 0) - rows) if (order.item_count or 0) > rows else ""),
        *((ADJUSTED[name], str(number)) for name, number in sorted(adjustments.items())),
        *((f"Filter: {name}", readable(value)) for name, value in order.filters.items()),
        ("Sorted by", f"{order.sort_by} ({order.sort_order})" if order.sort_by else ""),
        ("Columns", ", ".join(column.name for column in order.columns)),
        ("Time zone", order.time_zone),
        ("Export id", order.export_id),
        ("Program", order.program),
    ]


def readable(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
