"""A small Django with the assets' table as its only model, for peers that export a queryset."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.db import models

ADDRESS = urlsplit(os.environ.get("DATABASE_URL", "postgresql://localhost/postgres"))

settings.configure(
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=[],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": ADDRESS.path[1:],
            "USER": ADDRESS.username,
            "PASSWORD": ADDRESS.password,
            "HOST": ADDRESS.hostname,
            "PORT": ADDRESS.port,
        }
    },
)
django.setup()


class Asset(models.Model):
    """The table as it is, its foreign keys plain numbers: none of these peers is charged for a join."""

    name = models.CharField(max_length=200)
    asset_tag = models.CharField(max_length=50)
    serial_number = models.CharField(max_length=100, null=True)
    status_id = models.BigIntegerField()
    location_id = models.BigIntegerField(null=True)
    assigned_to = models.BigIntegerField(null=True, db_column="assigned_to_id")
    manufacturer_id = models.BigIntegerField(null=True)
    asset_type_id = models.BigIntegerField()
    purchase_date = models.DateField(null=True)
    warranty_expiry_date = models.DateField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "assets_asset"

    def __str__(self) -> str:
        return self.asset_tag
