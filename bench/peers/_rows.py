"""How those peers read who do not bring a reader of their own: psycopg with a server-side cursor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg

from bench.table import SELECT

FETCHED = 2_000
"""Rows of one round trip."""


def rows(url: str) -> Iterator[tuple[Any, ...]]:
    """All assets in the order of their keys, as psycopg's Python values."""
    with psycopg.connect(url) as connection, connection.cursor(name="bench") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(SELECT)
        yield from cursor


def naive_rows(url: str) -> Iterator[list[Any]]:
    """The same for spreadsheets, which know no time zones."""
    for row in rows(url):
        yield [cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in row]
