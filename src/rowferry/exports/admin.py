"""Exports and their logs in the admin: to be read, never changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rowferry.exports.models import Export, ExportLog


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
    list_display = ("created_at", "user_name", "resource", "format", "mode", "status", "exported_items", "file_size")
    list_filter = ("status", "mode", "format", "resource")
    search_fields = ("user_name", "user_email", "id")
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(ExportLog)
class ExportLogAdmin(ReadOnly):
    list_display = ("created_at", "export", "event", "message", "actor_name")
    list_filter = ("event",)
    search_fields = ("export__id", "actor_name")
    list_select_related = ("export",)
    show_full_result_count = False
