"""The table that all contestants export, and the statement that those of them use who write SQL."""

from __future__ import annotations

TABLE = "assets_asset"
COLUMNS = {
    "id": "id",
    "name": "name",
    "asset_tag": "asset_tag",
    "serial_number": "serial_number",
    "status_id": "status_id",
    "location_id": "location_id",
    "assigned_to": "assigned_to_id",
    "manufacturer_id": "manufacturer_id",
    "asset_type_id": "asset_type_id",
    "purchase_date": "purchase_date",
    "warranty_expiry_date": "warranty_expiry_date",
    "created_at": "created_at",
    "updated_at": "updated_at",
}
"""The name in the file → the column of the table."""
NAMES = tuple(COLUMNS)
SELECT = (
    f"SELECT {', '.join(f'{column} AS {name}' for name, column in COLUMNS.items())} FROM {TABLE} ORDER BY {TABLE}.id"
)
