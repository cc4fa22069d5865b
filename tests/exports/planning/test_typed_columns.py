"""What a format with types gets to know of a model's fields, and what becomes of values that its types cannot hold."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import F

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.models import ExportLog
from rowferry.exports.resources.resource import Column, Resource
from tests.support.all_types_model import Probe
from tests.support.making import content, run_export

Declare = Callable[[type[Resource]], Resource]


class ProbesResource(Resource):
    model = Probe
    name = "probes"
    columns = (
        Column("id"),
        Column("decimal"),
        Column("doubled", F("decimal") * 2, kind=ValueType.DECIMAL),
        Column("computed", kind=ValueType.DECIMAL, compute=lambda text: text, needs=("text",)),
        Column("counted", kind=ValueType.INTEGER, compute=lambda text: text, needs=("text",)),
    )


@pytest.fixture(autouse=True)
def resource(probes: None, declare: Declare) -> Iterator[None]:
    declare(ProbesResource)
    yield
    ContentType.objects.clear_cache()  # what it remembers of Probe is rolled back


def test_a_decimal_has_the_digits_of_its_field_and_is_text_where_there_is_none() -> None:
    Probe.objects.create(decimal=Decimal("123456789012.345"), text="1.5")
    data = io.BytesIO(content(run_export("probes", format="parquet", columns=["decimal", "doubled", "computed"])))
    table = pq.read_table(data)
    assert table.schema.types == [pa.decimal128(15, 3), pa.string(), pa.string()]
    (row,) = table.to_pylist()
    assert row["decimal"] == Decimal("123456789012.345")
    assert Decimal(row["doubled"]) == Decimal("246913578024.69")
    assert row["computed"] == "1.5"


def test_values_that_do_not_fit_are_counted_in_the_manifest_and_the_log() -> None:
    Probe.objects.create(text="7")
    Probe.objects.create(text="7" * 25)
    export = run_export("probes", format="parquet", columns=["counted"], sort_by="id")
    assert pq.read_table(io.BytesIO(content(export))).to_pydict() == {"counted": [7, None]}
    assert export.manifest["adjustments"] == {"emptied_cells": 1}
    assert ExportLog.objects.filter(export=export, message__startswith="1 values").exists()
