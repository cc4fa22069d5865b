"""Exports that a test makes here and now."""

from __future__ import annotations

from typing import Any

from rowferry.exports import submission
from rowferry.exports.models import Export
from rowferry.exports.storage import storage


def run_export(resource: str, person: Any = None, **body: Any) -> Export:
    """An export, made here and now."""
    work, course = submission.perform(resource, body, person)
    for _ in course:
        pass
    work.file().stream.close()
    return work.export


def content(export: Export) -> bytes:
    with storage().open(export.file_key) as file:
        return file.read()
