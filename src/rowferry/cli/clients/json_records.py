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


def page(found: Any, record: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """One page of a list."""
    numbers = {"total": found.total, "per_page": found.size, "current_page": found.number, "last_page": found.last}
    return {"data": [record(item) for item in found.items], "pagination": numbers}


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
        "created_at": instant(row.created_at),
        "started_at": instant(row.started_at),
        "completed_at": instant(row.completed_at),
        "duration_seconds": row.duration_seconds,
        "expires_at": instant(row.expires_at),
        "download_count": row.download_count,
        "error": row.error,
        "retry_of": str(row.retry_of_id) if row.retry_of_id else None,
    }


def event(line: Any) -> dict[str, Any]:
    """One event of a log."""
    plain = ("event", "message", "processed_items", "total_items", "current_batch", "total_batches", "duration_ms")
    actor = {"id": line.actor_id, "name": line.actor_name, "email": line.actor_email}
    return {
        **_pick_fields(line, *plain),
        "error_message": line.error_message or None,
        "actor": actor if line.actor_id else None,
        "created_at": instant(line.created_at),
    }


def preview(seen: Any) -> dict[str, Any]:
    """A dry run."""
    return {
        "status": "DRY_RUN_SUCCESS",
        "format": seen.format,
        "mode": seen.mode,
        "mode_reason": seen.mode_reason,
        "total_items": seen.total,
        "preview_count": len(seen.rows),
        "preview": seen.rows,
        "estimated_file_size": seen.size,
        "estimated_wait": seen.wait,
        "warnings": seen.warnings,
    }


def resource(one: ResourceInfo, formats: Sequence[FormatInfo]) -> dict[str, Any]:
    """What may be asked of one resource."""
    return {
        "name": one.name,
        "label": one.label,
        "permission": one.permission,
        "sort_by": one.sort_by,
        "columns": [_column(column) for column in one.columns],
        "filters": [_filter(parameter) for parameter in one.filters],
        "formats": [_format(sink) for sink in formats],
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
    listed = None if choices is None else [{"value": value, "label": label} for value, label in choices]
    return {**_pick_fields(parameter, "name", "label", "type", "multiple", "nullable"), "choices": listed}


def _format(sink: FormatInfo) -> dict[str, Any]:
    said = asdict(sink)
    for option in said["options"]:
        option["type"] = "boolean" if isinstance(option["default"], bool) else "text"
    return said


def _pick_fields(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
