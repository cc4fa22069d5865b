"""A resource of which not everybody may see everything, and people who may and may not."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import Permission, User

from rowferry.assets.models import Asset
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.resources import permissions
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.filters import DateRange, Matches, Search
from rowferry.exports.resources.resource import Resource
from rowferry.tickets.models import Ticket
from tests.support.making import content, run_export

RIGHT = "assets.see_details"
MASK, HASH = {"permission": RIGHT, "on_denied": Redaction.MASK}, {"permission": RIGHT, "on_denied": Redaction.HASH}
WITHHELD = {
    "name": "mask",
    "serial": "mask",
    "purchase_date": "mask",
    "holder": "hash",
    "created_at": "hash",
    "initial": "hash",
    "asset_tag": "drop",
}


def initial(name: str) -> str:
    """Fails where there is none, and says of what."""
    if not name.isalnum():
        raise ValueError(f"{name} has no initial")
    return name[0]


class GuardedResource(Resource):
    """Assets of which not everybody may see everything."""

    model = Asset
    name = "guarded"
    columns = (
        Column("id"),
        Column("name", **MASK),
        Column("serial", "serial_number", ValueType.IDENTIFIER, shown=4, mask="…", **MASK),
        Column("purchase_date", **MASK),
        Column("holder", "assigned_to_id", **HASH),
        Column("created_at", **HASH),
        Column("initial", compute=initial, needs=("name",), **HASH),
        Column("asset_tag", permission=RIGHT),
    )
    filters = (
        Matches("assigned_to", title="username"),
        Matches("status_id"),
        DateRange(("created_at", "updated_at")),
        Search(("asset_tag", "name")),
    )


class OwnersResource(Resource):
    """Who asked for a ticket, hashed: the same people as the holders of assets."""

    model = Ticket
    name = "owners"
    permission = "assets.export_asset"
    columns = (Column("holder", "created_by", **HASH), Column("id", permission=RIGHT, on_denied=Redaction.HASH))


def grant_details(person: User) -> User:
    """The person with the right to the details."""
    permissions.create_missing("default")
    person.user_permissions.add(Permission.objects.get(codename="see_details"))
    return User.objects.get(pk=person.pk)


def revoke_details(person: User) -> User:
    """The same person after the right was taken away."""
    person.user_permissions.remove(Permission.objects.get(codename="see_details"))
    return User.objects.get(pk=person.pk)


def rows(resource: str, person: User | None, **body: Any) -> list[dict[str, Any]]:
    return json.loads(content(run_export(resource, person, format="json", **body)))["data"]
