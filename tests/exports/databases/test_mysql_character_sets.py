"""On MariaDB and MySQL text in other character sets arrives whole; where there is none, nothing is converted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from rowferry.assets.models import Asset
from rowferry.exports.databases import open_reader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.value_types import ValueType
from tests.factories.assets import AssetFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "mysql", reason="about MariaDB and MySQL"),
]
NAME = "Größe ½ é"


@pytest.fixture
def latin() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE from_former_times (name varchar(20) CHARACTER SET latin1)")
        cursor.execute("ALTER TABLE assets_asset MODIFY name varchar(200) CHARACTER SET latin1 NOT NULL")
        yield
        cursor.execute("ALTER TABLE assets_asset MODIFY name varchar(200) CHARACTER SET utf8mb4 NOT NULL")
        cursor.execute("DROP TABLE from_former_times")


def read() -> tuple[str, str]:
    """The statement, and what it read."""
    rendering = CellExpression("name", ValueType.TEXT)
    with open_reader("default") as reader:
        statement, _ = reader.compile(
            Asset.objects.annotate(text=rendering.checked_sql(reader.value_sql)).values_list("text")
        )
        (block,) = reader.blocks(Asset.objects.all(), [rendering])
    return statement, block.data.decode()


def test_text_that_is_utf_8_is_read_as_it_is() -> None:
    AssetFactory.create(name=NAME)
    statement, text = read()
    assert "CONVERT" not in statement
    assert text == NAME


def test_text_in_another_character_set_is_converted(latin: None) -> None:
    AssetFactory.create(name=NAME)
    statement, text = read()
    assert "CONVERT" in statement
    assert text == NAME


def test_the_optimizer_is_asked_beyond_what_is_counted() -> None:
    AssetFactory.create_batch(30)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE assets_asset")
    with open_reader("default") as reader:
        assert reader.estimate(Asset.objects.all()) == 30
