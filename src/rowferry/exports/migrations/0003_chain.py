"""Each event of the log gets a number, its hash and that of the event before; a table of daily anchors."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exports", "0002_bell")]

    operations = [
        migrations.AddField("export", "log_sequence", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AddField(
            "export", "log_hash", models.CharField(blank=True, default="", editable=False, max_length=64), False
        ),
        migrations.AddField("exportlog", "sequence", models.PositiveIntegerField(default=0), False),
        migrations.AddField(
            "exportlog", "previous_hash", models.CharField(blank=True, default="", max_length=64), False
        ),
        migrations.AddField("exportlog", "hash", models.CharField(default="", max_length=64), False),
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
    ]
