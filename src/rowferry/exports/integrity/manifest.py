"""What was asked, expected and written: kept in the export's row and as a JSON file beside the exported one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rowferry import __version__
from rowferry.exports.formats import FormatColumn
from rowferry.exports.integrity import signing
from rowferry.exports.models import Export
from rowferry.exports.persistent_names import MANIFEST_SUFFIX
from rowferry.exports.storage import Storage, StoredFile

PROGRAM = f"Rowferry {__version__}"
MANIFEST_VERSION = 2
"""1 had `requested_by`, the person whose rights held; 2 has `actor` and `on_behalf_of`."""


def describe(
    export: Export,
    file: StoredFile,
    columns: Sequence[FormatColumn],
    *,
    as_of: datetime,
    expected: int,
    written: int,
    failed: int,
    adjustments: Mapping[str, int],
    withheld: Mapping[str, str],
) -> dict[str, Any]:
    """The manifest as plain JSON, signed. `expected` = rows counted in the same snapshot; `to_cell + failed` equals it.
    `withheld` = by name, the columns that were masked, hashed or dropped."""
    fields = {
        "manifest_version": MANIFEST_VERSION,
        "program": PROGRAM,
        "export_id": str(export.pk),
        "resource_type": export.resource,
        "format": export.format,
        "spec": export.spec,
        "actor": export.actor,
        "on_behalf_of": export.on_behalf_of,
        "requested_at": rfc3339(export.created_at),
        "as_of": rfc3339(as_of),
        "time_zone": export.spec["time_zone"],
        "columns": [{"name": c.name, "label": c.label, "type": c.kind.value} for c in columns],
        "withheld": {name: str(treatment) for name, treatment in withheld.items()},
        "rows_expected": expected,
        "rows_written": written,
        "rows_failed": failed,
        "adjustments": dict(adjustments),
        "bytes": file.size,
        "sha256": file.sha256,
    }
    return signing.add_signature(fields)


def write(storage: Storage, key: str, manifest: Mapping[str, Any]) -> None:
    """Write the manifest beside the file of this key."""
    storage.put(f"{key}{MANIFEST_SUFFIX}", json.dumps(manifest, indent=2, ensure_ascii=False).encode())


def remove(storage: Storage, key: str) -> None:
    """Delete the file of this key and the manifest beside it; what is not there is no error."""
    storage.delete(key)
    storage.delete(f"{key}{MANIFEST_SUFFIX}")


def rfc3339(moment: datetime) -> str:
    """`2025-10-30T14:15:00Z`, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
