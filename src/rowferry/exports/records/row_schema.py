"""The JSON Schema of the rows of a resource's JSON file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.records.record import Address, Record

if TYPE_CHECKING:
    from rowferry.exports.catalogue import ColumnInfo, ResourceInfo

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# A value that is not valid for its column is a string, so every type allows one.
TYPES: dict[ValueType, Record] = {
    ValueType.INTEGER: {"type": ["integer", "string", "null"]},
    ValueType.DECIMAL: {"type": ["number", "string", "null"]},
    ValueType.FLOAT: {"type": ["number", "string", "null"]},
    ValueType.BOOLEAN: {"type": ["boolean", "string", "null"]},
    ValueType.DATE: {"type": ["string", "null"], "format": "date"},
    ValueType.INSTANT: {"type": ["string", "null"], "format": "date-time"},
    ValueType.TEXT: {"type": ["string", "null"]},
    ValueType.IDENTIFIER: {"type": ["string", "null"]},
    ValueType.UUID: {"type": ["string", "null"], "format": "uuid"},
    ValueType.TIME: {"type": ["string", "null"], "format": "time"},
    ValueType.DURATION: {"type": ["string", "null"], "description": "Seconds."},
    ValueType.JSON: {},
}


def row_schema(info: ResourceInfo, address: Address) -> Record:
    """The schema of one row that is not nested, with every column that this person may have. A file has those columns
    that were asked for, so none is required."""
    url = address("row_schema", info.name)
    return {
        "$schema": DIALECT,
        **({} if url is None else {"$id": url}),
        "title": info.label,
        "type": "object",
        "properties": {column.name: _property(column) for column in info.columns},
        "additionalProperties": False,
    }


def _property(column: ColumnInfo) -> Record:
    return {"title": column.label, **TYPES[column.kind]}
