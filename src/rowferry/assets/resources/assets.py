"""Assets as an export: their columns and filters."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

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

DATES = {"created_at": _("Created at"), "updated_at": _("Updated at")}


@register
class AssetResource(Resource):
    """The assets of the department; the readable names beside the ids are there for the asking."""

    model = Asset
    name = "assets"
    label = _("Assets")
    columns = (
        Column("id", label=_("ID")),
        Column("name", label=_("Name")),
        Column("asset_tag", kind=ValueType.IDENTIFIER, label=_("Asset tag")),
        Column("serial_number", kind=ValueType.IDENTIFIER, label=_("Serial number")),
        Column("status_id", label=_("Status ID"), nest=("status", "id")),
        Column("location_id", label=_("Location ID"), nest=("location", "id")),
        Column("assigned_to", label=_("Assigned to ID"), nest=("assigned_to", "id")),
        Column("manufacturer_id", label=_("Manufacturer ID"), nest=("manufacturer", "id")),
        Column("asset_type_id", label=_("Asset type ID"), nest=("asset_type", "id")),
        Column("purchase_date", label=_("Purchase date")),
        Column("warranty_expiry_date", label=_("Warranty expiry date")),
        Column("created_at", label=_("Created")),
        Column("updated_at", label=_("Updated")),
        Column("status", "status__name", label=_("Status"), default=False, nest=("status", "name"), tones=STATUSES),
        Column("location", "location__name", label=_("Location"), default=False, nest=("location", "name")),
        Column(
            "manufacturer", "manufacturer__name", label=_("Manufacturer"), default=False, nest=("manufacturer", "name")
        ),
        Column("asset_type", "asset_type__name", label=_("Asset type"), default=False, nest=("asset_type", "name")),
        Column(
            "assigned_to_name",
            full_name("assigned_to"),
            ValueType.TEXT,
            label=_("Assigned to"),
            default=False,
            nest=("assigned_to", "name"),
        ),
        Column(
            "assigned_to_email",
            "assigned_to__email",
            label=_("Assigned to (e-mail)"),
            default=False,
            nest=("assigned_to", "email"),
        ),
    )
    filters = (
        Matches("status_id"),
        Matches("location_id", tree=("include_sublocations", "location__path"), tree_label=_("Include sublocations")),
        Matches("assigned_to", title="username"),
        Matches("manufacturer_id"),
        Matches("asset_type_id"),
        DateRange(("created_at", "updated_at", "purchase_date", "warranty_expiry_date"), DATES),
        Search(("name", "asset_tag", "serial_number")),
    )
