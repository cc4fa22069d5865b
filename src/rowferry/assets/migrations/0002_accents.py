"""Tags and serial numbers that differ by an accent are different, on MariaDB and MySQL too."""

from django.db import migrations

from rowferry.exports.databases.collations import ACCENTS, compared


class Migration(migrations.Migration):
    dependencies = [("assets", "0001_initial")]
    operations = [compared("assets", ACCENTS, asset="asset_tag"), compared("assets", ACCENTS, asset="serial_number")]
