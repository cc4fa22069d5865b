"""Any database that Django knows: its own iterator, rendered in Python. Slower, and right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import F, QuerySet

from rowferry.exports.databases.reader import BLOCK_ROWS, Reader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import CELL, CellBlock, replace_lone_surrogates
from rowferry.exports.encoding.pushdown import PushDown


class GenericReader(Reader):
    """Reads on an own connection within one transaction, as strong as the database makes it."""

    begin = ("START TRANSACTION",)

    def read(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: PushDown | None
    ) -> Iterator[CellBlock]:
        paths = {f"rowferry_{i}": F(r.path) if isinstance(r.path, str) else r.path for i, r in enumerate(expressions)}
        rows = self._rows(queryset.annotate(**paths).values_list(*paths))
        writers = [expression.text for expression in expressions]
        while chunk := list(islice(rows, BLOCK_ROWS)):
            cells = [write(value) for row in chunk for write, value in zip(writers, row, strict=True)]
            yield CellBlock(replace_lone_surrogates(CELL.join(cells), self.adjustments), len(chunk))

    def _rows(self, queryset: QuerySet[Any]) -> Iterator[Sequence[Any]]:
        compiler = queryset.query.get_compiler(connection=self.wrapper)
        try:
            return iter(compiler.results_iter(chunked_fetch=True, chunk_size=BLOCK_ROWS))
        except EmptyResultSet:
            return iter(())
