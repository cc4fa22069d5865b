"""Rows out of a database: one snapshot, blocks of cells. One file per database family."""

from __future__ import annotations

from typing import Any

from rowferry.exports.databases.connection_context import context_of
from rowferry.exports.databases.generic import GenericReader
from rowferry.exports.databases.mysql.reader import MySQLReader
from rowferry.exports.databases.postgresql.reader import PostgreSQLReader
from rowferry.exports.databases.reader import Reader, Size
from rowferry.exports.databases.sqlite.reader import SQLiteReader

READERS: dict[str, type[Reader]] = {"sqlite": SQLiteReader, "postgresql": PostgreSQLReader, "mysql": MySQLReader}

__all__ = ["READERS", "Reader", "Size", "context_of", "open_reader"]


def open_reader(alias: str, context: Any = None) -> Reader:
    """A reader on the database `alias`, its snapshot taken, its connection prepared with what `context_of` gave when
    the export was ordered. The caller closes it (it is a context manager)."""
    from_vendor = Reader.vendor_of(alias)
    return READERS.get(from_vendor, GenericReader)(alias, context)
