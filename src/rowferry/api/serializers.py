"""What answers look like: one field of JSON a line, which is also what OpenAPI says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from rowferry.exports import records

if TYPE_CHECKING:
    from rowferry.exports.execution.preview import Preview
    from rowferry.exports.models import Export, ExportLog
    from rowferry.exports.tracking import Page


def absolute_url(request: Request, name: str, *args: object) -> str:
    """The absolute URL of an endpoint of this API, as the client sees this server."""
    return request.build_absolute_uri(reverse(f"rowferry_api:{name}", args=args))


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

    export_id = serializers.UUIDField()
    resource_type = serializers.CharField()
    format = serializers.CharField()
    status = serializers.ChoiceField(choices=records.STATUSES)
    mode = serializers.ChoiceField(choices=records.MODES)
    total_items = serializers.IntegerField()
    exported_items = serializers.IntegerField()
    failed_items = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True)
    progress_percent = serializers.IntegerField()
    message = serializers.CharField()
    file_size = serializers.IntegerField(allow_null=True)
    checksum = serializers.CharField(allow_null=True)
    filters = serializers.DictField()
    columns = serializers.ListField(child=serializers.CharField())
    sort = SortSerializer()
    actor = ActorSerializer(allow_null=True)
    on_behalf_of = ActorSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True)
    email_sent_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    download_url = serializers.URLField(allow_null=True)
    download_count = serializers.IntegerField()
    error = ProblemSerializer(allow_null=True)
    retry_of = serializers.UUIDField(allow_null=True)
    logs_url = serializers.URLField()

    def to_representation(self, export: Export) -> dict[str, Any]:
        return records.export(export, self.absolute_url)


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
    error_message = serializers.CharField(allow_null=True)
    actor = ActorSerializer(allow_null=True)
    on_behalf_of = ActorSerializer(allow_null=True)
    created_at = serializers.DateTimeField()


class PaginationSerializer(Plain):
    """Which page of how many this is."""

    total = serializers.IntegerField()
    per_page = serializers.IntegerField()
    current_page = serializers.IntegerField()
    last_page = serializers.IntegerField()


class HistorySerializer(Plain):
    """A page of exports."""

    data = ExportSerializer(many=True)  # type: ignore[assignment]
    pagination = PaginationSerializer()

    def to_representation(self, page: Page[Export]) -> dict[str, Any]:
        return records.history(page, self.absolute_url)


class LogsSerializer(Plain):
    """A page of events."""

    data = LogSerializer(many=True)  # type: ignore[assignment]
    pagination = PaginationSerializer()

    def to_representation(self, page: Page[ExportLog]) -> dict[str, Any]:
        return records.log(page)


class QueuedSerializer(Plain):
    """A file will be made. `estimated_wait` in seconds."""

    export_id = serializers.UUIDField(source="export.pk")
    status = serializers.ChoiceField(choices=records.STATUSES, source="export.status")
    mode = serializers.ChoiceField(choices=records.MODES, source="export.mode")
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


@extend_schema_field({"type": "string", "const": "DRY_RUN_SUCCESS"})
class DryRunStatusField(serializers.CharField):
    """What the status of every dry run is."""


class DryRunSerializer(Plain):
    """What would be made. `estimated_file_size` in bytes, `estimated_wait` in seconds."""

    status = DryRunStatusField()
    format = serializers.CharField()
    mode = serializers.ChoiceField(choices=records.MODES)
    mode_reason = serializers.CharField()
    total_items = serializers.IntegerField()
    preview_count = serializers.IntegerField()
    preview = serializers.ListField(child=serializers.DictField())
    estimated_file_size = serializers.IntegerField()
    estimated_wait = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())

    def to_representation(self, preview: Preview) -> dict[str, Any]:
        return records.preview(preview)


class JSONFileSerializer(Plain):
    """A file of the format `json`, for OpenAPI; the file itself is written elsewhere."""

    export_id = serializers.CharField()
    resource_type = serializers.CharField()
    format = serializers.CharField()
    exported_at = serializers.DateTimeField()
    item_count = serializers.IntegerField(allow_null=True)
    columns = serializers.ListField(child=serializers.JSONField())
    filters = serializers.DictField()
    actor = serializers.CharField(allow_null=True)
    on_behalf_of = serializers.CharField(allow_null=True)
    data = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
