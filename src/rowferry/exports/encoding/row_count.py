"""What a reader finds in a finished file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]
"""What was asked for, as the manifest of a file keeps it."""


@dataclass(frozen=True, slots=True)
class RowCount:
    """`columns` = what the header says; None = there is none to read (no row of NDJSON, or rows that are nested)."""

    rows: int
    columns: list[str] | None
