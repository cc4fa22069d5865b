"""The tables of the tickets."""

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
            name="TicketPriority",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
            options={
                "verbose_name_plural": "ticket priorities",
            },
        ),
        migrations.CreateModel(
            name="TicketStatus",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
            options={
                "verbose_name_plural": "ticket statuses",
            },
        ),
        migrations.CreateModel(
            name="TicketType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ticket_code", models.CharField(max_length=50, unique=True)),
                ("subject", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("is_open", models.BooleanField(default=True, verbose_name="open")),
                ("is_resolved", models.BooleanField(default=False, verbose_name="resolved")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("due_date", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assigned_tickets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="created_tickets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "priority",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.ticketpriority",
                    ),
                ),
                (
                    "status",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.ticketstatus",
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.tickettype",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["status", "created_at"], name="ticket_by_status"),
                    models.Index(fields=["priority", "created_at"], name="ticket_by_priority"),
                    models.Index(fields=["type", "created_at"], name="ticket_by_type"),
                    models.Index(fields=["is_open", "created_at"], name="ticket_by_open"),
                    models.Index(fields=["is_resolved", "created_at"], name="ticket_by_resolved"),
                    models.Index(fields=["subject"], name="ticket_by_subject"),
                    models.Index(fields=["created_at"], name="ticket_by_created"),
                    models.Index(fields=["due_date"], name="ticket_by_due"),
                    models.Index(fields=["updated_at"], name="ticket_by_updated"),
                ],
            },
        ),
        # Codes that differ by an accent are different, on MariaDB and MySQL too.
        set_collation("tickets", ACCENTS, ticket="ticket_code"),
    ]
