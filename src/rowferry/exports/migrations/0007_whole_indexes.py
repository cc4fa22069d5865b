"""What looks for the few exports at work never reads the whole history.

SQLite takes an index into an OR only for a column that is compared, so the one of what waits begins with the state.
MariaDB and MySQL have no index over a part of a table, and Django leaves those out there: these stand in for them.
"""

from django.db import migrations, models

INDEXES = {
    "exports_waiting_whole": "exports_export (status, created_at)",
    "exports_leased_whole": "exports_export (status, lease_until)",
    "exports_mail_due_whole": "exports_emailoutbox (sent_at, next_try_at)",
}


def up(_apps, schema_editor):
    if not schema_editor.connection.features.supports_partial_indexes:
        for name, columns in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {columns}")


def down(_apps, schema_editor):
    if not schema_editor.connection.features.supports_partial_indexes:
        for name, columns in INDEXES.items():
            schema_editor.execute(f"DROP INDEX {name} ON {columns.split()[0]}")


class Migration(migrations.Migration):
    dependencies = [("exports", "0006_totals")]
    operations = [
        migrations.RemoveIndex("export", "exports_due"),
        migrations.AddIndex(
            "export",
            models.Index(fields=["status", "created_at"], condition=models.Q(status="pending"), name="exports_waiting"),
        ),
        # Within no transaction of its own: MariaDB cannot take back what changes tables.
        migrations.RunPython(up, down, atomic=False),
    ]
