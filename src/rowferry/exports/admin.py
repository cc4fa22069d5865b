"""Exports and their logs in the admin, to be read and never changed; and the action "Export selected rows"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from rowferry.exports import submission
from rowferry.exports.errors import RowferryError
from rowferry.exports.formats import format_writers
from rowferry.exports.models import Export, ExportLog
from rowferry.exports.planning.plan import has_permission
from rowferry.exports.resources import registry
from rowferry.exports.resources.filters import MOST_VALUES
from rowferry.exports.resources.resource import Resource
from rowferry.exports.submission import Streamed

Action = Callable[[Any, HttpRequest, models.QuerySet[Any]], HttpResponseBase | None]


class ExportSelected(admin.ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin of a model that is a resource: "Export selected …" in every format, for who may export it.

    The file is logged and kept like any other; columns and rows are those that the person may see.
    """

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        resource = registry.resource_of(self.model)
        if resource is None or not has_permission(_user_of(request), resource.permission):
            return super().get_actions(request)
        writers = [(name, candidate.label) for name, candidate in format_writers().items() if not candidate.missing]
        export_actions = {
            f"export_{name}": (_export_action(resource, name), f"export_{name}", f"Export selected rows as {label}")
            for name, label in writers
        }
        return {**super().get_actions(request), **export_actions}


def _user_of(request: HttpRequest) -> AbstractUser:
    """Who asks: the admin lets nobody in who is nobody."""
    return cast("AbstractUser", request.user)


def _export_action(resource: Resource, format_name: str) -> Action:
    return partial(_export, resource, format_name)


def _export(
    resource: Resource, format_name: str, _admin: Any, request: HttpRequest, selected: models.QuerySet[Any]
) -> HttpResponseBase | None:
    """The file of the selected rows; None, with a message, where there is none."""
    keys = list(selected.order_by().values_list("pk", flat=True).distinct()[: MOST_VALUES + 1])
    person = _user_of(request)
    if problem := _problem(resource, keys, person):
        messages.error(request, f"Nothing was exported: {problem}.")
        return None
    body = {"format": format_name, "filters": {"ids": keys}, "async": False}
    try:
        answer = submission.submit(resource.name, body, person)
    except RowferryError as error:
        messages.error(request, f"Nothing was exported: {error.detail}")
        return None
    return _as_attachment(answer)


def _problem(resource: Resource, keys: Sequence[Any], person: AbstractUser) -> str:
    """Why there can be no file of all these rows; "" = there can be one."""
    if not keys:
        return "no row is left"
    if len(keys) > MOST_VALUES:
        return f"an action takes at most {MOST_VALUES:,} rows. Order them from Rowferry's page"
    hidden = len(keys) - resource.rows_for(person).filter(pk__in=keys).values("pk").distinct().count()
    return f"{hidden:,} of the {len(keys):,} rows are not yours to export" if hidden else ""


def _as_attachment(answer: Any) -> HttpResponseBase:
    """As an answer that a browser keeps as a file and does not show."""
    if isinstance(answer, Streamed):
        filename = answer.filename
        response: HttpResponseBase = StreamingHttpResponse(answer.chunks, content_type=answer.content_type)
    else:
        filename = answer.file.filename
        response = FileResponse(answer.file.stream, content_type=answer.file.content_type)
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows and refuses every change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Export)
class ExportAdmin(ReadOnly):
    list_display = (
        "created_at",
        "user_name",
        "actor_kind",
        "resource",
        "format",
        "mode",
        "status",
        "exported_items",
        "file_size",
    )
    list_filter = ("status", "mode", "format", "resource")
    search_fields = ("user_name", "user_email", "id")
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(ExportLog)
class ExportLogAdmin(ReadOnly):
    list_display = ("created_at", "export", "event", "message", "actor_name", "on_behalf_of_name")
    list_filter = ("event",)
    search_fields = ("export__id", "actor_name", "on_behalf_of_name")
    list_select_related = ("export",)
    show_full_result_count = False
