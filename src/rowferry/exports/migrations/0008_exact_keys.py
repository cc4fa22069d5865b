"""A client's keys are what they are, byte by byte: MariaDB and MySQL took `A` for `a`, and gave one export for both."""

from django.db import migrations

from rowferry.exports.databases.collations import EXACT, set_collation


class Migration(migrations.Migration):
    dependencies = [("exports", "0007_whole_indexes")]
    operations = [set_collation("exports", EXACT, idempotencykey="key")]
