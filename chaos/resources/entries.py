"""Entries as an export: all of them, with every column."""

from __future__ import annotations

from chaos.models import Entry
from rowferry.exports.resources.filters import Matches
from rowferry.exports.resources.resource import Column, Resource, register


@register
class EntryResource(Resource):
    """The whole ledger, or one account."""

    model = Entry
    name = "entries"
    columns = (Column("id"), Column("account"), Column("amount"), Column("note"))
    filters = (Matches("account"),)
