"""The tables of the assets."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from rowferry.exports.databases.collations import ACCENTS, set_collation


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AssetStatus",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
            options={
                "verbose_name_plural": "asset statuses",
            },
        ),
        migrations.CreateModel(
            name="AssetType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Manufacturer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("path", models.CharField(db_index=True, default="", editable=False, max_length=255)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="assets.location",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Asset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("asset_tag", models.CharField(max_length=50, unique=True)),
                ("serial_number", models.CharField(blank=True, max_length=100, null=True)),
                ("purchase_date", models.DateField(blank=True, null=True)),
                ("warranty_expiry_date", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "status",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assets",
                        to="assets.assetstatus",
                    ),
                ),
                (
                    "asset_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assets", to="assets.assettype"
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assets",
                        to="assets.location",
                    ),
                ),
                (
                    "manufacturer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assets",
                        to="assets.manufacturer",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="location",
            constraint=models.UniqueConstraint(fields=("parent", "name"), name="location_once_per_parent"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["status", "created_at"], name="asset_by_status"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["name"], name="asset_by_name"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["serial_number"], name="asset_by_serial"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["purchase_date"], name="asset_by_purchase"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["warranty_expiry_date"], name="asset_by_warranty"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["created_at"], name="asset_by_created"),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["updated_at"], name="asset_by_updated"),
        ),
        # Tags and serial numbers that differ by an accent are different, on MariaDB and MySQL too.
        set_collation("assets", ACCENTS, asset="asset_tag"),
        set_collation("assets", ACCENTS, asset="serial_number"),
    ]
