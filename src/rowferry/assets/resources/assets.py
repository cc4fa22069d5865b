"""Assets as an export: their columns and filters."""

from __future__ import annotations

from rowferry.assets.models import Asset, full_name
from rowferry.exports.encoding.value_types import Severity, ValueType
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import DateRange, Matches, Search
from rowferry.exports.resources.resource import Resource, register

STATUSES = {
    "In use": Severity.GOOD,
    "In stock": Severity.INFO,
    "Ordered": Severity.INFO,
    "In repair": Severity.WARNING,
    "Lost or stolen": Severity.BAD,
    "Retired": Severity.QUIET,
}


@register
class AssetResource(Resource):
    """The assets of the department; the readable names beside the ids are there for the asking."""

    model = Asset
    name = "assets"
    columns = (
        Column("id", label="ID"),
        Column("name"),
        Column("asset_tag", kind=ValueType.IDENTIFIER),
        Column("serial_number", kind=ValueType.IDENTIFIER),
        Column("status_id", label="Status ID", nest=("status", "id")),
        Column("location_id", label="Location ID", nest=("location", "id")),
        Column("assigned_to", label="Assigned to ID", nest=("assigned_to", "id")),
        Column("manufacturer_id", label="Manufacturer ID", nest=("manufacturer", "id")),
        Column("asset_type_id", label="Asset type ID", nest=("asset_type", "id")),
        Column("purchase_date"),
        Column("warranty_expiry_date"),
        Column("created_at", label="Created"),
        Column("updated_at", label="Updated"),
        Column("status", "status__name", default=False, nest=("status", "name"), tones=STATUSES),
        Column("location", "location__name", default=False, nest=("location", "name")),
        Column("manufacturer", "manufacturer__name", default=False, nest=("manufacturer", "name")),
        Column("asset_type", "asset_type__name", default=False, nest=("asset_type", "name")),
        Column(
            "assigned_to_name",
            full_name("assigned_to"),
            ValueType.TEXT,
            label="Assigned to",
            default=False,
            nest=("assigned_to", "name"),
        ),
        Column(
            "assigned_to_email",
            "assigned_to__email",
            label="Assigned to (e-mail)",
            default=False,
            nest=("assigned_to", "email"),
        ),
    )
    filters = (
        Matches("status_id"),
        Matches("location_id", tree=("include_sublocations", "location__path")),
        Matches("assigned_to", title="username"),
        Matches("manufacturer_id"),
        Matches("asset_type_id"),
        DateRange(("created_at", "updated_at", "purchase_date", "warranty_expiry_date")),
        Search(("name", "asset_tag", "serial_number")),
    )
