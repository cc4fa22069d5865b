"""Every table of the engine, the triggers of the log, and what MariaDB and MySQL need in place of partial indexes."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rowferry.exports.models.worker_ping
from rowferry.exports.databases import append_only
from rowferry.exports.databases.collations import EXACT, set_collation

WHOLE_INDEXES = {
    "rowferry_waiting_whole": "rowferry_export (status, created_at)",
    "rowferry_leased_whole": "rowferry_export (status, lease_until)",
    "rowferry_mail_due_whole": "rowferry_emailoutbox (sent_at, next_try_at)",
}
"""MariaDB and MySQL have no partial indexes, and Django leaves those out there: these stand in for them."""


def create_whole_indexes(_apps, schema_editor):
    if not schema_editor.connection.features.supports_partial_indexes:
        for name, columns in WHOLE_INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {columns}")


def drop_whole_indexes(_apps, schema_editor):
    if not schema_editor.connection.features.supports_partial_indexes:
        for name, columns in WHOLE_INDEXES.items():
            schema_editor.execute(f"DROP INDEX {name} ON {columns.split()[0]}")


def create_triggers(_apps, schema_editor):
    drop_triggers(_apps, schema_editor)
    for statement in append_only.create_triggers_sql(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def drop_triggers(_apps, schema_editor):
    for statement in append_only.drop_triggers_sql(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditAnchor",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("chains", models.PositiveIntegerField()),
                ("events", models.PositiveIntegerField()),
                ("heads_hash", models.CharField(max_length=64)),
                ("previous_hash", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CounterDelta",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=32)),
                ("resource", models.CharField(max_length=100)),
                ("format", models.CharField(max_length=32)),
                ("detail", models.CharField(max_length=32)),
                ("value", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Leader",
            fields=[
                ("role", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=200)),
                ("lease_until", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="WorkerPing",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=rowferry.exports.models.worker_ping.nonce,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("worker", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=32)),
                ("resource", models.CharField(max_length=100)),
                ("format", models.CharField(max_length=32)),
                ("detail", models.CharField(max_length=32)),
                ("value", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "resource", "format", "detail"), name="rowferry_unique_counter"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("user_name", models.CharField(blank=True, max_length=150)),
                ("user_email", models.CharField(blank=True, max_length=254)),
                ("resource", models.CharField(max_length=100)),
                ("format", models.CharField(max_length=32)),
                ("spec", models.JSONField()),
                (
                    "mode",
                    models.CharField(
                        choices=[("immediate", "Immediate"), ("streamed", "Streamed"), ("queued", "Queued")],
                        max_length=16,
                    ),
                ),
                ("mode_reason", models.JSONField()),
                ("keep", models.BooleanField(default=True)),
                ("notify", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                            ("deleted", "Deleted"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("snapshot_at", models.DateTimeField(null=True)),
                ("total_items", models.BigIntegerField()),
                ("total_is_estimate", models.BooleanField(default=False)),
                ("exported_items", models.BigIntegerField(default=0)),
                ("failed_items", models.BigIntegerField(default=0)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("max_attempts", models.PositiveSmallIntegerField(default=3)),
                ("fence", models.BigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("wakeup_sent_at", models.DateTimeField(null=True)),
                ("worker", models.CharField(blank=True, max_length=200)),
                ("cancel_requested_at", models.DateTimeField(null=True)),
                ("file_key", models.CharField(blank=True, max_length=200)),
                ("file_size", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("manifest", models.JSONField(null=True)),
                ("download_count", models.PositiveIntegerField(default=0)),
                ("reminded_at", models.DateTimeField(null=True)),
                ("error", models.JSONField(null=True)),
                ("log_sequence", models.PositiveIntegerField(default=0, editable=False)),
                ("log_hash", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "retry_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retries",
                        to="rowferry.export",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="rowferry_exports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": [("view_all_exports", "Can see everybody's exports")],
            },
        ),
        migrations.CreateModel(
            name="EmailOutbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("completed", "Completed"), ("failed", "Failed"), ("reminder", "Reminder")],
                        max_length=16,
                    ),
                ),
                ("recipient", models.CharField(max_length=254)),
                ("created_at", models.DateTimeField()),
                ("next_try_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="rowferry.export",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("fence", models.BigIntegerField()),
                ("worker", models.CharField(max_length=200)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=32)),
                ("rows", models.BigIntegerField(default=0)),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="rowferry.export",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ExportLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("initiated", "Initiated"),
                            ("processing", "Processing"),
                            ("progress", "Progress"),
                            ("retrying", "Retrying"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("downloaded", "Downloaded"),
                            ("notified", "Notified"),
                            ("expired", "Expired"),
                            ("deleted", "Deleted"),
                        ],
                        max_length=16,
                    ),
                ),
                ("message", models.CharField(max_length=500)),
                ("processed_items", models.BigIntegerField(null=True)),
                ("total_items", models.BigIntegerField(null=True)),
                ("current_batch", models.IntegerField(null=True)),
                ("total_batches", models.IntegerField(null=True)),
                ("duration_ms", models.BigIntegerField(null=True)),
                ("error_message", models.CharField(blank=True, max_length=2000)),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_name", models.CharField(blank=True, max_length=150)),
                ("actor_email", models.CharField(blank=True, max_length=254)),
                ("created_at", models.DateTimeField()),
                ("sequence", models.PositiveIntegerField()),
                ("previous_hash", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log",
                        to="rowferry.export",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="HistoryCheckpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                ("export_id", models.UUIDField()),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(db_index=True)),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rowferry.export"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QuotaUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("allowance", models.CharField(max_length=32)),
                ("taken", models.JSONField(default=list)),
                ("turn", models.BigIntegerField(default=0)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["user", "keep", "-created_at", "-id"], name="rowferry_history"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["user", "keep", "status"], name="rowferry_status_count"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["expires_at"], name="rowferry_expiry"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["status", "created_at"], name="rowferry_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status", "processing")), fields=["lease_until"], name="rowferry_leased"
            ),
        ),
        migrations.AddIndex(
            model_name="emailoutbox",
            index=models.Index(condition=models.Q(("sent_at", None)), fields=["next_try_at"], name="rowferry_mail_due"),
        ),
        migrations.AddConstraint(
            model_name="emailoutbox",
            constraint=models.UniqueConstraint(fields=("export", "kind"), name="rowferry_unique_mail_kind"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("export", "fence"), name="rowferry_unique_attempt_fence"),
        ),
        migrations.AddIndex(
            model_name="exportlog",
            index=models.Index(fields=["export", "id"], name="rowferry_log"),
        ),
        migrations.AddIndex(
            model_name="exportlog",
            index=models.Index(fields=["created_at"], name="rowferry_log_day"),
        ),
        migrations.AddConstraint(
            model_name="exportlog",
            constraint=models.UniqueConstraint(fields=("export", "sequence"), name="rowferry_unique_log_sequence"),
        ),
        migrations.AddConstraint(
            model_name="historycheckpoint",
            constraint=models.UniqueConstraint(fields=("user", "number"), name="rowferry_unique_checkpoint"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(fields=("user", "key"), name="rowferry_unique_key"),
        ),
        migrations.AddConstraint(
            model_name="quotause",
            constraint=models.UniqueConstraint(fields=("user", "allowance"), name="rowferry_unique_quota"),
        ),
        # A client's keys differ by every byte, on MariaDB and MySQL too.
        set_collation("rowferry", EXACT, idempotencykey="key"),
        # Outside a transaction of their own: MariaDB cannot roll back a change of tables.
        migrations.RunPython(create_whole_indexes, drop_whole_indexes, atomic=False),
        migrations.RunPython(create_triggers, drop_triggers, atomic=False),
    ]
