"""Pages of SQLite: BLOCK_ROWS rows within one step.

A step that gives one row goes through Python once a row: the interpreter's lock given and taken back, a tuple, a bytes.
Here SQLite glues the rows of a block itself. That goes along the key of the table and in no other order; whether each
page is found by the key, and needs no sorting, SQLite's own plan tells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Func, QuerySet, Value

from rowferry.exports.databases.reader import BLOCK_ROWS
from rowferry.exports.joins import has_many

LAST: Any = object()
"""Among the parameters of a statement: the key that the page before ended with."""


@dataclass(frozen=True, slots=True)
class Keyset:
    """Along the keys: what comes behind one, where all begins, which key of a page is its last."""

    lookup: str
    start: float
    aggregate: str


UP, DOWN = Keyset("pk__gt", -math.inf, "max"), Keyset("pk__lt", math.inf, "min")
KEYSETS = (((F("pk").asc(),), UP), (("pk",), UP), ((F("pk").desc(),), DOWN), (("-pk",), DOWN))
FROM_A_KEY = re.compile(r"INTEGER PRIMARY KEY \(rowid[<>]\?")
SORTED = "TEMP B-TREE"
"""What the plan says where a page begins at a key; and where rows are sorted."""


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` rows with the separator between them; `last_key` = the key to go on from."""

    data: bytes
    rows: int
    last_key: Any


@dataclass(frozen=True, slots=True)
class Paging:
    """How the rows of a queryset are read page by page: a statement of one row, LAST among its parameters."""

    keyset: Keyset
    sql: str
    params: Sequence[Any]

    def params_after(self, last_key: Any) -> list[Any]:
        """The parameters of the page behind a key."""
        return [last_key if param is LAST else param for param in self.params]

    def pages(self, fetch: Callable[[str, Sequence[Any]], Page]) -> Generator[Page, None, None]:
        """One after the other, none empty."""
        page = fetch(self.sql, self.params_after(self.keyset.start))
        while page.rows:
            yield page
            if page.rows < BLOCK_ROWS:
                return
            page = fetch(self.sql, self.params_after(page.last_key))


def paging(
    queryset: QuerySet[Any], row: Func, separator: bytes, compile_query: Callable[[QuerySet[Any]], tuple[str, Any]]
) -> Paging | None:
    """None: the rows are in another order than that of their keys, or a key may come twice."""
    query = queryset.query
    keyset = next((keyset for order, keyset in KEYSETS if query.order_by == order), None)
    if keyset is None or query.is_sliced or query.distinct or query.combinator or query.group_by is not None:
        return None
    page = queryset.filter(**{keyset.lookup: Value(LAST)}).annotate(rowferry_row=row, rowferry_key=F("pk"))
    if has_many(page.query):
        return None
    sql, params = compile_query(page.values_list("rowferry_row", "rowferry_key")[:BLOCK_ROWS])
    joined_rows = f"CAST(group_concat(rowferry_row, x'{separator.hex()}') AS BLOB)"
    return Paging(keyset, f"SELECT {joined_rows}, count(*), {keyset.aggregate}(rowferry_key) FROM ({sql})", params)  # noqa: S608


def follows_key(plan: Sequence[str]) -> bool:
    """Whether SQLite finds each page by the key, and need not sort."""
    return any(map(FROM_A_KEY.search, plan)) and not any(SORTED in step for step in plan)
