"""What may be exported, and what an export would hold, as records."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rowferry.exports.records.record import Address, Record, pick_fields

if TYPE_CHECKING:
    from rowferry.exports.catalogue import ColumnInfo, FormatInfo, ResourceInfo
    from rowferry.exports.execution.preview import Preview
    from rowferry.exports.resources.parameter import Parameter


def preview(result: Preview) -> Record:
    """A dry run. Sizes in bytes, waits in seconds."""
    return {
        "status": "DRY_RUN_SUCCESS",
        "format": result.format,
        "mode": result.mode,
        "mode_reason": str(result.mode_reason),
        "total_items": result.total,
        "preview_count": len(result.rows),
        "preview": result.rows,
        "estimated_file_size": result.size,
        "estimated_wait": result.wait,
        "warnings": result.warnings,
    }


def resource(info: ResourceInfo, formats: list[FormatInfo], address: Address) -> Record:
    """What may be asked of one resource."""
    return {
        **pick_fields(info, "name", "label", "permission", "sort_by"),
        "columns": [_column(column) for column in info.columns],
        "filters": [_filter(parameter) for parameter in info.filters],
        "formats": [_format(one) for one in formats],
        "export_url": address("order", info.name),
    }


def _column(column: ColumnInfo) -> Record:
    return {
        **pick_fields(column, "name", "label"),
        "type": column.kind.value,
        **pick_fields(column, "default", "sortable", "nest", "treatment"),
    }


def _filter(parameter: Parameter) -> Record:
    choices = parameter.choices
    choice_records = None if choices is None else [{"value": value, "label": str(label)} for value, label in choices]
    return {**pick_fields(parameter, "name", "label", "type", "multiple", "nullable"), "choices": choice_records}


def _format(one: FormatInfo) -> Record:
    options = [pick_fields(option, "name", "label", "type", "default", "choices", "missing") for option in one.options]
    return {**asdict(one), "options": options}
