"""A model with a column of every kind, which belongs to no app; `probe_table` makes its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import QuerySet

from rowferry.exports.databases import Reader, open_reader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import NULL, split
from rowferry.exports.encoding.value_types import Representation, ValueType

Row = list[bytes | None]


class Probe(models.Model):
    """Every field may be empty, so that a test gives only the one that it is about."""

    integer = models.BigIntegerField(null=True)
    decimal = models.DecimalField(max_digits=15, decimal_places=3, null=True)
    float = models.FloatField(null=True)
    boolean = models.BooleanField(null=True)
    day = models.DateField(null=True)
    instant = models.DateTimeField(null=True)
    text = models.TextField(null=True)
    uuid = models.UUIDField(null=True)
    clock = models.TimeField(null=True)
    span = models.DurationField(null=True)
    json = models.JSONField(null=True)

    class Meta:
        app_label = "probe"

    def __str__(self) -> str:
        return str(self.pk)


KINDS = {
    "integer": ValueType.INTEGER,
    "decimal": ValueType.DECIMAL,
    "float": ValueType.FLOAT,
    "boolean": ValueType.BOOLEAN,
    "day": ValueType.DATE,
    "instant": ValueType.INSTANT,
    "text": ValueType.TEXT,
    "uuid": ValueType.UUID,
    "clock": ValueType.TIME,
    "span": ValueType.DURATION,
    "json": ValueType.JSON,
}


def rendering(
    name: str, form: Representation = Representation.PLAIN, zone: str = "UTC", guard: bool = False
) -> CellExpression:
    """How the engine would read that field of Probe."""
    return CellExpression(name, KINDS[name], form, guard, zone, places=3)


def rows_of(reader: Reader, queryset: QuerySet[Any], renderings: Sequence[CellExpression]) -> list[Row]:
    """All rows of all blocks, NULL as None."""
    found: list[Row] = []
    for block in reader.blocks(queryset, renderings):
        cells = [None if cell == NULL else cell for cell in split(block.data, block.rows, len(renderings))]
        found += [cells[start : start + len(renderings)] for start in range(0, len(cells), len(renderings))]
    return found


def read(queryset: QuerySet[Any], *renderings: CellExpression) -> list[Row]:
    """The rows as this database's own reader gives them."""
    with open_reader(queryset.db) as reader:
        return rows_of(reader, queryset, renderings)


def one(given: CellExpression, **fields: Any) -> bytes | None:
    """The cell of a new row with these fields."""
    probe = Probe.objects.create(**fields)
    return read(Probe.objects.filter(pk=probe.pk), given)[0][0]
