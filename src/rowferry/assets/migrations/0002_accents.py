"""Tags and serial numbers that differ by an accent are different, on MariaDB and MySQL too."""

from django.db import migrations

from rowferry.exports.databases.collations import ACCENTS, set_collation


class Migration(migrations.Migration):
    dependencies = [("assets", "0001_initial")]
    operations = [
        set_collation("assets", ACCENTS, asset="asset_tag"),
        set_collation("assets", ACCENTS, asset="serial_number"),
    ]
