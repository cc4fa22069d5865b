"""Rows out of a database: one snapshot, blocks of cells. One file per database family."""

from __future__ import annotations

from rowferry.exports.databases.generic import GenericReader
from rowferry.exports.databases.mysql.reader import MySQLReader
from rowferry.exports.databases.postgresql.reader import PostgreSQLReader
from rowferry.exports.databases.reader import Reader, Size
from rowferry.exports.databases.sqlite.reader import SQLiteReader

READERS: dict[str, type[Reader]] = {"sqlite": SQLiteReader, "postgresql": PostgreSQLReader, "mysql": MySQLReader}

__all__ = ["Reader", "Size", "open_reader"]


def open_reader(alias: str) -> Reader:
    """A reader on the database `alias`, its snapshot taken. The caller closes it (it is a context manager)."""
    from_vendor = Reader.vendor_of(alias)
    return READERS.get(from_vendor, GenericReader)(alias)
