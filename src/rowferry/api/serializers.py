"""What answers look like: one field of JSON a line, which is also what OpenAPI says of it."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from rowferry.api import problems

if TYPE_CHECKING:
    from rowferry.exports.models import Export, ExportLog

STATUSES = ("pending", "processing", "completed", "failed", "cancelled", "expired", "deleted")
MODES = ("immediate", "streamed", "queued")


def absolute_url(request: Request, name: str, *args: object) -> str:
    """The absolute URL of an endpoint of this API, as the client sees this server."""
    return request.build_absolute_uri(reverse(f"rowferry_api:{name}", args=args))


def instant(**options: Any) -> serializers.DateTimeField:
    """RFC 3339 in UTC with `Z`, whatever time zone is active."""
    return serializers.DateTimeField(default_timezone=UTC, **options)


class Plain(serializers.Serializer[Any]):
    """An answer: it is only ever written."""

    def absolute_url(self, name: str, *args: object) -> str:
        return absolute_url(self.context["request"], name, *args)


class ProblemSerializer(Plain):
    """RFC 9457. `code` is stable; `errors` names every wrong field."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)  # type: ignore[assignment]
    retryable = serializers.BooleanField(required=False)


class SortSerializer(Plain):
    """`by` is null where rows come in the order of their key."""

    by = serializers.CharField(allow_null=True)
    order = serializers.ChoiceField(choices=("asc", "desc"))


class ActorSerializer(Plain):
    """An account, as it was called then. The operator has no id (null)."""

    id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    email = serializers.CharField()


class ExportSerializer(Plain):
    """One export of the caller. `actor` ordered it (null: not recorded); `on_behalf_of` = whose rights hold, if that is
    somebody else."""

    export_id = serializers.UUIDField(source="pk")
    resource_type = serializers.CharField(source="resource")
    format = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    mode = serializers.ChoiceField(choices=MODES)
    total_items = serializers.IntegerField()
    exported_items = serializers.IntegerField()
    failed_items = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True)
    progress_percent = serializers.IntegerField()
    message = serializers.CharField()
    file_size = serializers.IntegerField(allow_null=True)
    checksum = serializers.SerializerMethodField()
    filters = serializers.DictField(source="spec.filters")
    columns = serializers.ListField(source="spec.columns", child=serializers.CharField())
    sort = serializers.SerializerMethodField()
    actor = ActorSerializer(allow_null=True)
    on_behalf_of = ActorSerializer(allow_null=True)
    created_at = instant()
    started_at = instant(allow_null=True)
    completed_at = instant(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True)
    expires_at = instant(allow_null=True)
    download_url = serializers.SerializerMethodField()
    download_count = serializers.IntegerField()
    error = serializers.SerializerMethodField()
    retry_of = serializers.UUIDField(source="retry_of_id", allow_null=True)
    logs_url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_checksum(self, export: Export) -> str | None:
        return f"sha256:{export.sha256}" if export.sha256 else None

    @extend_schema_field(SortSerializer)
    def get_sort(self, export: Export) -> dict[str, str | None]:
        return {"by": export.spec["sort_by"] or None, "order": export.spec["sort_order"]}

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_download_url(self, export: Export) -> str | None:
        return self.absolute_url("download", export.pk) if export.can_be_downloaded else None

    @extend_schema_field(ProblemSerializer(allow_null=True))
    def get_error(self, export: Export) -> dict[str, Any] | None:
        return problems.problem_of_export(export.error) if export.error else None

    @extend_schema_field(serializers.URLField())
    def get_logs_url(self, export: Export) -> str:
        return self.absolute_url("logs", export.pk)


class LogSerializer(Plain):
    """One event. `actor` is null for what the program did by itself; `on_behalf_of` where the actor's own
    rights held."""

    event = serializers.CharField()
    message = serializers.CharField()
    processed_items = serializers.IntegerField(allow_null=True)
    total_items = serializers.IntegerField(allow_null=True)
    current_batch = serializers.IntegerField(allow_null=True)
    total_batches = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    error_message = serializers.SerializerMethodField()
    actor = ActorSerializer(allow_null=True)
    on_behalf_of = ActorSerializer(allow_null=True)
    created_at = instant()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_error_message(self, log: ExportLog) -> str | None:
        return log.error_message or None


class PaginationSerializer(Plain):
    """Which page of how many this is."""

    total = serializers.IntegerField()
    per_page = serializers.IntegerField(source="size")
    current_page = serializers.IntegerField(source="number")
    last_page = serializers.IntegerField(source="last")


class HistorySerializer(Plain):
    """A page of exports."""

    data = ExportSerializer(many=True, source="items")  # type: ignore[assignment]
    pagination = PaginationSerializer(source="*")


class LogsSerializer(Plain):
    """A page of events."""

    data = LogSerializer(many=True, source="items")  # type: ignore[assignment]
    pagination = PaginationSerializer(source="*")


class QueuedSerializer(Plain):
    """A file will be made. `estimated_wait` in seconds."""

    export_id = serializers.UUIDField(source="export.pk")
    status = serializers.ChoiceField(choices=STATUSES, source="export.status")
    mode = serializers.ChoiceField(choices=MODES, source="export.mode")
    mode_reason = serializers.CharField(source="export.reason")
    message = serializers.CharField()
    estimated_wait = serializers.IntegerField(source="wait")
    total_items = serializers.IntegerField(source="export.total_items")
    status_url = serializers.SerializerMethodField()
    logs_url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField())
    def get_status_url(self, queued: Any) -> str:
        return self.absolute_url("export", queued.export.pk)

    @extend_schema_field(serializers.URLField())
    def get_logs_url(self, queued: Any) -> str:
        return self.absolute_url("logs", queued.export.pk)


class DryRunSerializer(Plain):
    """What would be made. `estimated_file_size` in bytes, `estimated_wait` in seconds."""

    status = serializers.SerializerMethodField()
    format = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    mode_reason = serializers.CharField()
    total_items = serializers.IntegerField(source="total")
    preview_count = serializers.SerializerMethodField()
    preview = serializers.ListField(child=serializers.DictField(), source="rows")
    estimated_file_size = serializers.IntegerField(source="size")
    estimated_wait = serializers.IntegerField(source="wait")
    warnings = serializers.ListField(child=serializers.CharField())

    @extend_schema_field({"type": "string", "const": "DRY_RUN_SUCCESS"})
    def get_status(self, _preview: Any) -> str:
        return "DRY_RUN_SUCCESS"

    def get_preview_count(self, preview: Any) -> int:
        return len(preview.rows)


class JSONFileSerializer(Plain):
    """A file of the format `json`, for OpenAPI; the file itself is written elsewhere."""

    export_id = serializers.CharField()
    resource_type = serializers.CharField()
    format = serializers.CharField()
    exported_at = instant()
    item_count = serializers.IntegerField(allow_null=True)
    columns = serializers.ListField(child=serializers.JSONField())
    filters = serializers.DictField()
    actor = serializers.CharField(allow_null=True)
    on_behalf_of = serializers.CharField(allow_null=True)
    data = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
