"""Assets in Django's admin, usable with a million of them."""

from django.contrib import admin

from rowferry.assets.models import Asset, AssetStatus, AssetType, Location, Manufacturer
from rowferry.exports.admin import ExportSelected


@admin.register(AssetStatus, AssetType, Manufacturer)
class NamedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "parent", "path")
    list_select_related = ("parent",)
    search_fields = ("name",)
    autocomplete_fields = ("parent",)
    ordering = ("path",)


@admin.register(Asset)
class AssetAdmin(ExportSelected):
    list_display = (
        "asset_tag",
        "name",
        "serial_number",
        "asset_type",
        "status",
        "location",
        "assigned_to",
        "created_at",
    )
    list_filter = ("status", "asset_type")
    list_select_related = ("asset_type", "status", "location", "assigned_to")
    search_fields = ("asset_tag", "name", "serial_number")
    autocomplete_fields = ("location", "manufacturer", "assigned_to")
    readonly_fields = ("created_at", "updated_at")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False
