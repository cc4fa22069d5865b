"""What names something is not taken for something that looks like it, on any database."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from rowferry.assets.models import Asset
from rowferry.exports.resources import registry
from rowferry.tickets.models import Ticket
from tests.factories.assets import AssetFactory
from tests.factories.resources import filter_rows
from tests.factories.tickets import TicketFactory

pytestmark = pytest.mark.django_db
LOOK_ALIKE = ("E1", "É1", "È1", "E1 ", "O1", "Ö1", "Ø1", "n1", "ñ1")


def test_tags_codes_and_serial_numbers_keep_their_accents():
    for number in LOOK_ALIKE:
        AssetFactory(asset_tag=number, serial_number=number)
        TicketFactory(ticket_code=number)
    for number in LOOK_ALIKE:
        assert Asset.objects.get(asset_tag=number).serial_number == number
        assert Asset.objects.get(serial_number=number).asset_tag == number
        assert Ticket.objects.get(ticket_code=number).ticket_code == number


def test_the_same_tag_twice_is_refused():
    AssetFactory(asset_tag="É1")
    with pytest.raises(IntegrityError), transaction.atomic():
        AssetFactory(asset_tag="É1")


@pytest.mark.parametrize("wanted", ["é1", "É1"])
def test_a_search_finds_a_tag_with_its_accent_and_no_other(wanted: str):
    AssetFactory(name="with", asset_tag=wanted)
    AssetFactory(name="without", asset_tag="E1")
    found = filter_rows(registry.resource("assets"), ZoneInfo("UTC"), search=wanted)
    assert [asset.name for asset in found] == ["with"]


@pytest.mark.parametrize("resource, field", [("assets", "asset_tag"), ("assets", "serial_number")])
def test_a_search_finds_upper_and_lower_case(resource: str, field: str):
    AssetFactory(name="found", **{field: "Ab-12"})
    found = filter_rows(registry.resource(resource), ZoneInfo("UTC"), search="aB-1")
    assert [asset.name for asset in found] == ["found"]
