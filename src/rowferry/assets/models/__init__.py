"""Assets, where they are and what they are. Other domains may use what is listed here, and nothing else of this app."""

from rowferry.assets.models.asset import Asset, AssetStatus, AssetType, Manufacturer
from rowferry.assets.models.bulk import highest_number, insert_rows
from rowferry.assets.models.location import Location
from rowferry.assets.models.named import Named, ids_by_name
from rowferry.assets.models.people import full_name

__all__ = [
    "Asset",
    "AssetStatus",
    "AssetType",
    "Location",
    "Manufacturer",
    "Named",
    "full_name",
    "highest_number",
    "ids_by_name",
    "insert_rows",
]
