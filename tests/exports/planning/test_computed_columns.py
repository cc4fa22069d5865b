"""Columns that only Python can say: what fails is left out, counted and named."""

from __future__ import annotations

import json

import pytest

from rowferry.assets.models import Asset
from rowferry.exports.errors import RowferryError
from rowferry.exports.models import ExportLog, Status
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import Search
from rowferry.exports.resources.resource import Resource
from tests.factories.assets import AssetFactory
from tests.support.making import content, run_export


def ratio(tag: str, serial: str | None) -> object:
    """What only Python can say: fails without a serial, and for one tag."""
    assert tag != "BAD"
    return int(serial) / 4


class RatedResource(Resource):
    """Assets with computed columns."""

    model = Asset
    name = "rated"
    columns = (
        Column("asset_tag"),
        Column("ratio", compute=ratio, needs=("asset_tag", "serial_number")),
        Column("status_name", "status__name"),
        Column("shout", compute=lambda name: name.upper(), needs=("name",)),
        Column("nothing", compute=lambda name: None, needs=("name",)),
    )
    filters = (Search(("asset_tag",)),)


@pytest.mark.django_db(transaction=True)
class TestComputed:
    @pytest.fixture(autouse=True)
    def declare_rated_resource(self, declare):
        declare(RatedResource)

    def test_a_row_that_cannot_be_computed_is_left_out_counted_and_named(self):
        good = [AssetFactory(asset_tag=f"G{n}", serial_number=f"{n}", name="=ä") for n in range(3)]
        bad = [AssetFactory(asset_tag="BAD", serial_number="1"), AssetFactory(asset_tag="NONE", serial_number=None)]
        last = AssetFactory(asset_tag="G3", serial_number="3", name="=ä")
        export = run_export("rated", format="csv", csv={"bom": False})
        lines = content(export).decode().splitlines()
        assert lines[0] == "asset_tag,ratio,status_name,shout,nothing"
        assert lines[1:] == [
            f'"{asset.asset_tag}","{int(asset.serial_number) / 4}","In use","\'=Ä",' for asset in [*good, last]
        ]
        assert (export.exported_items, export.failed_items, export.total_items) == (4, 2, 6)
        assert (export.status, export.manifest["rows_failed"]) == (Status.COMPLETED, 2)
        told = [f"{log.message} {log.error_message}" for log in ExportLog.objects.filter(export=export)]
        assert any(f"{asset.pk}: " in line for asset in bad for line in told)
        assert any("2 rows" in line for line in told)

    def test_a_file_may_lose_all_its_rows_to_failures(self):
        AssetFactory.create_batch(3, serial_number=None)
        export = run_export("rated", format="json")
        assert json.loads(content(export))["data"] == []
        assert json.loads(content(export))["item_count"] == 0
        assert (export.exported_items, export.failed_items) == (0, 3)

    def test_only_the_computed_columns_that_were_asked_for_are_computed(self):
        AssetFactory(serial_number=None, name="ä")
        export = run_export("rated", format="json", columns=["shout"])
        assert json.loads(content(export))["data"] == [{"shout": "Ä"}]

    def test_nobody_sorts_by_a_computed_column(self):
        with pytest.raises(RowferryError, match="sort_by"):
            run_export("rated", format="csv", sort_by="ratio")
