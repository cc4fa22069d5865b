"""No two events with one number; the database refuses to change or delete what is in the log."""

from django.db import migrations, models

from rowferry.exports.databases import append_only


def up(_apps, schema_editor):
    for statement in append_only.drop_triggers_sql(schema_editor.connection.vendor) + append_only.create_triggers_sql(
        schema_editor.connection.vendor
    ):
        schema_editor.execute(statement)


def down(_apps, schema_editor):
    for statement in append_only.drop_triggers_sql(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("exports", "0004_chain_rows")]
    operations = [
        migrations.AddConstraint(
            "exportlog", models.UniqueConstraint(fields=("export", "sequence"), name="exports_log_never_forks")
        ),
        migrations.AddIndex("exportlog", models.Index(fields=["created_at"], name="exports_log_day")),
        # Within no transaction of its own: MariaDB cannot take back what changes tables.
        migrations.RunPython(up, down, atomic=False),
    ]
