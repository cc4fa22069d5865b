"""What is known of each kind of database, and what holds for one that is not known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection, connections

import rowferry
from rowferry.assets.models import Asset
from rowferry.exports.databases import append_only, open_reader
from rowferry.exports.databases.generic import GenericReader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.databases.vendors import TRAITS, traits_of, untested_mode
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.monitoring import health
from tests.factories.assets import AssetFactory

SOURCE = Path(rowferry.__file__).parent
VENDOR = re.compile(r'"(sqlite|postgresql|mysql)"')
ASKS = {
    "config/environment.py",  # an address becomes Django's settings
    "exports/databases/__init__.py",  # the table of readers
    "exports/databases/collations.py",  # only MariaDB and MySQL have to be told how to compare
    "exports/databases/text_search.py",  # only SQLite gets a function
    "exports/databases/vendors.py",  # the table of traits
}


def test_modules_ask_the_table_and_not_the_vendor() -> None:
    paths = (path for path in SOURCE.rglob("*.py") if VENDOR.search(path.read_text()))
    assert {str(path.relative_to(SOURCE)) for path in paths} <= ASKS


@pytest.mark.django_db
def test_this_database_works_in_a_tested_mode() -> None:
    assert connection.vendor in TRAITS
    assert untested_mode(connection) is None


def test_unknown_database_is_read_by_django(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = AssetFactory()
    monkeypatch.setattr(type(connections["default"]), "vendor", "db2")
    with open_reader("default") as reader:
        assert isinstance(reader, GenericReader)
        blocks = reader.blocks(Asset.objects.all(), [CellExpression("name", ValueType.TEXT)])
        assert b"".join(block.data for block in blocks) == asset.name.encode()


def test_unknown_database_has_no_triggers_and_the_clock_of_this_machine(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(connections["default"]), "vendor", "db2")
    assert append_only.create_triggers_sql("db2") == append_only.drop_triggers_sql("db2") == []
    assert append_only.missing_triggers(connection) == []
    assert abs(health.clock_skew().total_seconds()) < 1
    assert untested_mode(connection) is None
    assert not traits_of("db2").is_file
