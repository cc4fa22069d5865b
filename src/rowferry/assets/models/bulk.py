"""Rows by the hundred thousand, for seeding: written as they are, without a model object each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Max
from django.db.models.functions import Cast, Substr

BATCH = 20_000
"""Rows of one transaction, and all that are in memory at a time."""


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Store `rows`, whose values are those of the fields `names` (a foreign key's is the id).

    Past `save`, signals and `auto_now`, which would put today's time on rows that say their own. Each batch of BATCH
    rows is a transaction: after an error the earlier ones stay.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    fields_by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [fields_by_name[name] for name in names]
    statement = _insert(model, [str(field.column) for field in fields], connection)
    row_iterator = iter(rows)
    while batch := list(islice(row_iterator, BATCH)):
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.executemany(statement, list(_adapt_values(batch, fields, connection)))


def _insert(model: type[models.Model], columns: Sequence[str], connection: BaseDatabaseWrapper) -> str:
    quote = connection.ops.quote_name
    placeholders = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) VALUES ({placeholders})"  # noqa: S608


def _adapt_values(
    batch: Sequence[Sequence[Any]], fields: Sequence[models.Field[Any, Any]], connection: BaseDatabaseWrapper
) -> Iterator[tuple[Any, ...]]:
    """The rows with dates and instants, the only values whose form differs between databases, in this one's form."""
    columns: list[Iterable[Any]] = list(zip(*batch, strict=True))
    for index, field in enumerate(fields):
        if isinstance(field, models.DateTimeField):
            columns[index] = map(connection.ops.adapt_datetimefield_value, columns[index])
        elif isinstance(field, models.DateField):
            columns[index] = map(connection.ops.adapt_datefield_value, columns[index])
    return zip(*columns, strict=True)


def highest_number(model: type[models.Model], field: str, prefix: str) -> int:
    """The highest N of all `<prefix>N` in a text field, 0 if there is none; other texts are passed over."""
    matching_rows = model._default_manager.filter(**{f"{field}__regex": f"^{prefix}[0-9]{{1,18}}$"})
    number = Cast(Substr(field, len(prefix) + 1), BigIntegerField())
    return matching_rows.aggregate(highest=Max(number))["highest"] or 0
