"""Who acted, and on behalf of whom. Columns that may be null: rows of before do not change, nor do the hashes of events.

SQLite adds such columns without making the table anew, so that the triggers of the log stay.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rowferry", "0001_initial")]

    operations = [
        migrations.AddField("export", "actor_kind", models.CharField(max_length=16, null=True)),
        migrations.AddField("export", "cancel_requested_by", models.JSONField(null=True)),
        migrations.AddField("exportlog", "on_behalf_of_id", models.CharField(max_length=64, null=True)),
        migrations.AddField("exportlog", "on_behalf_of_name", models.CharField(max_length=150, null=True)),
        migrations.AddField("exportlog", "on_behalf_of_email", models.CharField(max_length=254, null=True)),
    ]
