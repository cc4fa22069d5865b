"""An export, its events and its failure as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import prefetch_related_objects

from rowferry.exports.errors import class_of_code, problem_type_uri
from rowferry.exports.models import Event, Mode, Status
from rowferry.exports.records.record import Address, Record, instant, pick_fields

if TYPE_CHECKING:
    from rowferry.exports.models import Export, ExportLog
    from rowferry.exports.tracking import Page

STATUSES = tuple(Status.values)
MODES = tuple(Mode.values)
EVENTS = tuple(Event.values)


def export(row: Export, address: Address) -> Record:
    """One export."""
    return {
        "export_id": str(row.pk),
        "resource_type": row.resource,
        **pick_fields(row, "format", "status", "mode", "total_items", "exported_items", "failed_items"),
        **pick_fields(row, "success_rate", "progress_percent", "message", "file_size"),
        "checksum": f"sha256:{row.sha256}" if row.sha256 else None,
        "filters": row.spec["filters"],
        "columns": row.spec["columns"],
        "sort": {"by": row.spec["sort_by"] or None, "order": row.spec["sort_order"]},
        **pick_fields(row, "actor", "on_behalf_of"),
        "created_at": instant(row.created_at),
        "started_at": instant(row.started_at),
        "completed_at": instant(row.completed_at),
        "duration_seconds": row.duration_seconds,
        "email_sent_at": instant(row.email_sent_at),
        "expires_at": instant(row.expires_at),
        "download_url": address("download", row.pk) if row.can_be_downloaded else None,
        "download_count": row.download_count,
        "error": problem(row.error) if row.error else None,
        "retry_of": str(row.retry_of_id) if row.retry_of_id else None,
        "logs_url": address("logs", row.pk),
    }


def problem(stored_error: Record) -> Record:
    """The problem (RFC 9457) with which an export failed. `stored_error` = the error as its row keeps it."""
    code = stored_error["code"]
    return {
        "type": problem_type_uri(code),
        "title": stored_error["title"],
        "status": class_of_code(code).http_status,
        "detail": stored_error["detail"],
        "code": code,
        "retryable": bool(stored_error.get("retryable")),
    }


def event(entry: ExportLog) -> Record:
    """One event of a log. `actor` is null for what the program did by itself, `on_behalf_of` where the actor's own
    rights held."""
    counts = ("processed_items", "total_items", "current_batch", "total_batches", "duration_ms")
    return {
        **pick_fields(entry, "event", "message", *counts),
        "error_message": entry.error_message or None,
        **pick_fields(entry, "actor", "on_behalf_of"),
        "created_at": instant(entry.created_at),
    }


def history(page: Page[Export], address: Address) -> Record:
    """A page of exports."""
    prefetch_related_objects(page.items, "mails")
    return {"data": [export(row, address) for row in page.items], "pagination": _pagination(page)}


def log(page: Page[ExportLog]) -> Record:
    """A page of events."""
    return {"data": [event(entry) for entry in page.items], "pagination": _pagination(page)}


def _pagination(page: Page[Any]) -> Record:
    return {"total": page.total, "per_page": page.size, "current_page": page.number, "last_page": page.last}
