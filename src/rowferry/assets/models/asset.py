"""What the department owns."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from rowferry.assets.models.location import Location
from rowferry.assets.models.named import Named


class Manufacturer(Named):
    """Who made it."""


class AssetType(Named):
    """What it is: laptop, printer, licence."""


class AssetStatus(Named):
    """Where it is in its life: in use, in repair, retired."""

    class Meta:
        verbose_name_plural = "asset statuses"


class Asset(models.Model):
    """One thing that the department owns.

    Every field that a list is narrowed or sorted by leads an index. The one of `status` goes on with `created_at`,
    because a handful of statuses narrows little without a date. A search inside texts no such index can serve.
    """

    name = models.CharField(max_length=200)
    asset_tag = models.CharField(max_length=50, unique=True)
    serial_number = models.CharField(max_length=100, null=True, blank=True)
    status = models.ForeignKey(AssetStatus, models.PROTECT, related_name="assets", db_index=False)
    location = models.ForeignKey(Location, models.PROTECT, null=True, blank=True, related_name="assets")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assets"
    )
    manufacturer = models.ForeignKey(Manufacturer, models.PROTECT, null=True, blank=True, related_name="assets")
    asset_type = models.ForeignKey(AssetType, models.PROTECT, related_name="assets")
    purchase_date = models.DateField(null=True, blank=True)
    warranty_expiry_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "created_at"], name="asset_by_status"),
            models.Index(fields=["name"], name="asset_by_name"),
            models.Index(fields=["serial_number"], name="asset_by_serial"),
            models.Index(fields=["purchase_date"], name="asset_by_purchase"),
            models.Index(fields=["warranty_expiry_date"], name="asset_by_warranty"),
            models.Index(fields=["created_at"], name="asset_by_created"),
            models.Index(fields=["updated_at"], name="asset_by_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_tag} {self.name}"
