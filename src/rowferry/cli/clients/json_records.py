"""What the engine's front doors give, as the JSON that the API answers: one shape for scripts, here or at a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rowferry.exports.catalogue import ColumnInfo, FormatInfo, ResourceInfo


def instant(moment: datetime | None) -> str | None:
    """RFC 3339, UTC, `Z`."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def page(result_page: Any, to_record: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """One page of a list."""
    pagination = {
        "total": result_page.total,
        "per_page": result_page.size,
        "current_page": result_page.number,
        "last_page": result_page.last,
    }
    return {"data": [to_record(item) for item in result_page.items], "pagination": pagination}


def export(row: Any) -> dict[str, Any]:
    """One export. Of the API's fields those are left out that are addresses of a server."""
    return {
        "export_id": str(row.pk),
        "resource_type": row.resource,
        "format": row.format,
        "status": row.status,
        "mode": row.mode,
        "total_items": row.total_items,
        "exported_items": row.exported_items,
        "failed_items": row.failed_items,
        "success_rate": row.success_rate,
        "progress_percent": row.progress_percent,
        "message": row.message,
        "file_size": row.file_size,
        "checksum": f"sha256:{row.sha256}" if row.sha256 else None,
        "filters": row.spec["filters"],
        "columns": row.spec["columns"],
        "sort": {"by": row.spec["sort_by"] or None, "order": row.spec["sort_order"]},
        **_pick_fields(row, "actor", "on_behalf_of"),
        "created_at": instant(row.created_at),
        "started_at": instant(row.started_at),
        "completed_at": instant(row.completed_at),
        "duration_seconds": row.duration_seconds,
        "expires_at": instant(row.expires_at),
        "download_count": row.download_count,
        "error": row.error,
        "retry_of": str(row.retry_of_id) if row.retry_of_id else None,
    }


def event(entry: Any) -> dict[str, Any]:
    """One event of a log."""
    plain_fields = (
        "event",
        "message",
        "processed_items",
        "total_items",
        "current_batch",
        "total_batches",
        "duration_ms",
    )
    return {
        **_pick_fields(entry, *plain_fields),
        "error_message": entry.error_message or None,
        **_pick_fields(entry, "actor", "on_behalf_of"),
        "created_at": instant(entry.created_at),
    }


def preview(result: Any) -> dict[str, Any]:
    """A dry run."""
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


def resource(resource_info: ResourceInfo, formats: Sequence[FormatInfo]) -> dict[str, Any]:
    """What may be asked of one resource."""
    return {
        "name": resource_info.name,
        "label": resource_info.label,
        "permission": resource_info.permission,
        "sort_by": resource_info.sort_by,
        "columns": [_column(column) for column in resource_info.columns],
        "filters": [_filter(parameter) for parameter in resource_info.filters],
        "formats": [_format(one) for one in formats],
    }


def _column(column: ColumnInfo) -> dict[str, Any]:
    kind = {"type": column.kind.value}
    return {
        "name": column.name,
        "label": column.label,
        **kind,
        **_pick_fields(column, "default", "sortable", "nest", "treatment"),
    }


def _filter(parameter: Any) -> dict[str, Any]:
    choices = parameter.choices
    choice_records = None if choices is None else [{"value": value, "label": label} for value, label in choices]
    return {**_pick_fields(parameter, "name", "label", "type", "multiple", "nullable"), "choices": choice_records}


def _format(one: FormatInfo) -> dict[str, Any]:
    record = asdict(one)
    record["options"] = [
        _pick_fields(option, "name", "label", "type", "default", "choices", "missing") for option in one.options
    ]
    return record


def _pick_fields(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
