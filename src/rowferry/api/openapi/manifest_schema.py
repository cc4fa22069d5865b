"""What a manifest looks like, for OpenAPI."""

from __future__ import annotations

from typing import Any

TEXT, COUNT, MOMENT = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}
HEXADECIMAL = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def whole(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


ACCOUNT = whole({"id": {"type": ["integer", "string", "null"]}, "name": TEXT, "email": TEXT}) | {
    "type": ["object", "null"]
}
SIGNATURE = whole({"alg": {"type": "string", "const": "EdDSA"}, "key_id": TEXT, "value": TEXT})
MANIFEST = whole(
    {
        "manifest_version": {"type": "integer"},
        "program": TEXT,
        "export_id": {"type": "string", "format": "uuid"},
        "resource_type": TEXT,
        "format": TEXT,
        "spec": {"type": "object", "additionalProperties": {}},
        "requested_at": MOMENT,
        "as_of": MOMENT,
        "time_zone": TEXT,
        "columns": {"type": "array", "items": whole({"name": TEXT, "label": TEXT, "type": TEXT})},
        "rows_expected": COUNT,
        "rows_written": COUNT,
        "rows_failed": COUNT,
        "adjustments": {"type": "object", "additionalProperties": COUNT},
        "bytes": COUNT,
        "sha256": HEXADECIMAL,
    }
)
MANIFEST["properties"] |= {"actor": ACCOUNT, "on_behalf_of": ACCOUNT, "requested_by": ACCOUNT, "signature": SIGNATURE}
"""`requested_by` is of version 1, which has no `actor` and `on_behalf_of`."""
