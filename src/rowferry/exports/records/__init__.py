"""Public: what the engine's public functions return, as plain JSON. The API answers it, and the command prints it."""

from rowferry.exports.records.exports import EVENTS, MODES, STATUSES, event, export, history, log, problem
from rowferry.exports.records.resources import preview, resource
from rowferry.exports.records.row_schema import row_schema

__all__ = [
    "EVENTS",
    "MODES",
    "STATUSES",
    "event",
    "export",
    "history",
    "log",
    "preview",
    "problem",
    "resource",
    "row_schema",
]
