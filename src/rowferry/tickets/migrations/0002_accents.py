"""Codes that differ by an accent are different, on MariaDB and MySQL too."""

from django.db import migrations

from rowferry.exports.databases.collations import ACCENTS, set_collation


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [set_collation("tickets", ACCENTS, ticket="ticket_code")]
