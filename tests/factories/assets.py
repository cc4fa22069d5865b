"""Assets and what they point at."""

from __future__ import annotations

import factory

from rowferry.assets.models import Asset, AssetStatus, AssetType, Location, Manufacturer


class AssetStatusFactory(factory.django.DjangoModelFactory[AssetStatus]):
    class Meta:
        model = AssetStatus
        django_get_or_create = ("name",)

    name = "In use"


class AssetTypeFactory(factory.django.DjangoModelFactory[AssetType]):
    class Meta:
        model = AssetType
        django_get_or_create = ("name",)

    name = "Laptop"


class ManufacturerFactory(factory.django.DjangoModelFactory[Manufacturer]):
    class Meta:
        model = Manufacturer
        django_get_or_create = ("name",)

    name = "Cisco Systems, Inc."


class LocationFactory(factory.django.DjangoModelFactory[Location]):
    class Meta:
        model = Location

    name = factory.Sequence(lambda n: f"Room {n}")


class AssetFactory(factory.django.DjangoModelFactory[Asset]):
    """An asset that nobody has and that has neither place nor dates, until a test says so."""

    class Meta:
        model = Asset

    name = factory.Sequence(lambda n: f"Laptop {n}")
    asset_tag = factory.Sequence(lambda n: f"TAG-{n:05d}")
    serial_number = factory.Sequence(lambda n: f"{n:010d}")
    status = factory.SubFactory(AssetStatusFactory)
    asset_type = factory.SubFactory(AssetTypeFactory)
    manufacturer = factory.SubFactory(ManufacturerFactory)
