"""Fields that only PostgreSQL has are JSON in every format, and an address is what Django shows of it."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from django.db import connection, models

from rowferry.exports.accessor import ExportsAccessor
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.resource import Resource

if connection.vendor == "postgresql":
    from django.contrib.postgres.fields import ArrayField, DateRangeField, HStoreField, IntegerRangeField

    class Device(models.Model):
        tags = ArrayField(models.TextField(), null=True)
        grid = ArrayField(ArrayField(models.IntegerField()), null=True)
        labels = HStoreField(null=True)
        ports = IntegerRangeField(null=True)
        lease = DateRangeField(null=True)
        address = models.GenericIPAddressField(null=True)

        class Meta:
            app_label = "probe"

        def __str__(self) -> str:
            return str(self.pk)

    class DeviceResource(Resource):
        model = Device
        name = "devices"
        columns = tuple(Column(name) for name in ("tags", "grid", "labels", "ports", "lease", "address"))

    ROW = {
        "tags": ["a,b", 'c"d', None, "é"],
        "grid": [[1, 2], [3, 4]],
        "labels": {"place": "Büro", "none": None},
        "ports": {"lower": 1, "upper": None, "bounds": "[)"},
        "lease": {"lower": "2025-01-02", "upper": "2025-03-01", "bounds": "[)"},
        "address": "10.0.0.1",
    }

    @pytest.fixture
    def device(declare: Any, db: None) -> ExportsAccessor:
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS hstore")
        with connection.schema_editor() as editor:
            editor.create_model(Device)
        Device.objects.create(
            tags=ROW["tags"],
            grid=ROW["grid"],
            ports=(1, None),
            lease=(date(2025, 1, 2), date(2025, 3, 1)),
            address="10.0.0.1",
        )
        with connection.cursor() as cursor:  # the field itself writes only where django.contrib.postgres is installed
            cursor.execute(f"""UPDATE {Device._meta.db_table} SET labels = 'place => "Büro", none => NULL'""")
        Device.objects.create(ports="empty", address="::1")
        declare(DeviceResource)
        return ExportsAccessor("devices")

    EMPTY = {"tags": None, "grid": None, "labels": None, "ports": {"empty": True}, "lease": None, "address": "::1"}

    def read(device: ExportsAccessor, name: str, **options: Any) -> bytes:
        with device.open(device.run(format=name, **options)) as file:
            return file.read()

    def test_they_are_json_in_json(device: ExportsAccessor) -> None:
        assert json.loads(read(device, "json"))["data"] == [ROW, EMPTY]

    @pytest.mark.parametrize("guard", [True, False])
    def test_they_are_json_texts_in_csv(device: ExportsAccessor, guard: bool) -> None:
        text = read(device, "csv", csv={"formula_guard": guard}).decode("utf-8-sig")
        first, second = csv.DictReader(io.StringIO(text))
        addresses = [first.pop("address"), second.pop("address")]
        assert {name: json.loads(cell) for name, cell in first.items()} | {"address": addresses[0]} == ROW
        assert {name: json.loads(cell or "null") for name, cell in second.items()} | {"address": addresses[1]} == EMPTY

    def test_their_columns_say_so(device: ExportsAccessor) -> None:
        kinds = {column.name: column.kind for column in DeviceResource().by_name.values()}
        assert kinds == dict.fromkeys(ROW, ValueType.JSON) | {"address": ValueType.TEXT}
