"""What a project sets on its connections is kept with each export."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rowferry", "0002_actor")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="connection_context",
            field=models.JSONField(null=True),
        ),
    ]
