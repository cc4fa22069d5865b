"""Seeded assets: the same ones each time, never one twice, and as odd as real ones."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from rowferry.assets.models import Asset, Location, bulk
from rowferry.assets.seeding import seed_assets
from tests.factories.assets import AssetFactory
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db


def contents() -> list[tuple[Any, ...]]:
    """All that an asset says, by words and not by keys, which go on from where the last test left them."""
    names = ("name", "asset_tag", "serial_number", "purchase_date", "warranty_expiry_date", "created_at", "updated_at")
    related = ("status__name", "location__name", "assigned_to__username", "manufacturer__name", "asset_type__name")
    return list(Asset.objects.order_by("asset_tag").values_list(*names, *related))


def seeded_afresh(count: int, seed: int) -> list[tuple[Any, ...]]:
    Asset.objects.all().delete()
    seed_assets(count, seed)
    return contents()


def test_the_same_seed_makes_the_same_rows_and_another_others():
    first = seeded_afresh(50, seed=7)
    assert seeded_afresh(50, seed=7) == first
    assert seeded_afresh(50, seed=8) != first


def test_two_runs_make_what_one_run_makes():
    at_once = seeded_afresh(50, seed=7)
    seeded_afresh(30, seed=7)
    seed_assets(20, seed=7)
    assert contents() == at_once


def test_rows_do_not_depend_on_the_size_of_a_batch(monkeypatch):
    in_one_batch = seeded_afresh(50, seed=7)
    monkeypatch.setattr(bulk, "BATCH", 7)
    assert seeded_afresh(50, seed=7) == in_one_batch


def test_tags_go_on_after_the_highest_one_whatever_else_is_there():
    for tag in ("AST-0000041", "AST-00000012", "AST-X99", "ZZZ-9999999", "AST-"):
        AssetFactory(asset_tag=tag)
    assert seed_assets(3, seed=1) == range(42, 45)
    tags = list(Asset.objects.values_list("asset_tag", flat=True))
    assert {"AST-0000042", "AST-0000043", "AST-0000044"} < set(tags)
    assert len(tags) == len(set(tags)) == 8


def test_the_rows_are_as_odd_as_real_ones():
    seed_assets(3_000, seed=1)
    names = set(Asset.objects.values_list("name", flat=True))
    for sign in ("=", "+", "-", "@", '"', ",", "\n", "\t", "é", "議", "🖨", "'"):
        assert any(sign in name for name in names), sign
    assert Asset.objects.filter(serial_number__startswith="0").exists()
    assert Asset.objects.filter(serial_number__regex=r"^[0-9]{20}$").exists()


@pytest.mark.parametrize(
    "field", ["serial_number", "location", "assigned_to", "manufacturer", "purchase_date", "warranty_expiry_date"]
)
def test_what_may_be_missing_is_missing_now_and_then(field):
    seed_assets(500, seed=1)
    missing = Asset.objects.filter(**{f"{field}__isnull": True}).count()
    assert 0 < missing < 500


def test_times_are_whole_seconds_in_order_and_the_past():
    seed_assets(200, seed=1)
    for asset in Asset.objects.all():
        assert asset.created_at <= asset.updated_at
        assert asset.created_at.microsecond == asset.updated_at.microsecond == 0
        assert asset.purchase_date is None or asset.purchase_date <= asset.created_at.date()
        assert asset.warranty_expiry_date is None or asset.warranty_expiry_date > asset.purchase_date
        assert asset.updated_at.year < 2026


def test_places_are_a_tree_four_deep_that_is_made_once():
    seed_assets(1, seed=1)
    seed_assets(1, seed=2)
    depths = [path.count("/") - 1 for path in Location.objects.values_list("path", flat=True)]
    assert (len(depths), max(depths)) == (60, 4)


def test_the_people_cannot_log_in_and_those_who_were_there_stay_as_they_were():
    there = UserFactory(username="zoe.oconnor", first_name="Somebody")
    seed_assets(1, seed=1)
    assert User.objects.count() == 200
    assert User.objects.get(username="zoe.oconnor").first_name == there.first_name
    assert not any(user.has_usable_password() for user in User.objects.exclude(pk=there.pk))


def test_the_command_says_what_it_added():
    out = StringIO()
    call_command("seed_assets", assets=12, seed=3, stdout=out)
    assert out.getvalue().strip() == "12 assets added, up to AST-0000012."
    assert Asset.objects.count() == 12


def test_none_at_all_is_fine_and_fewer_is_not():
    call_command("seed_assets", assets=0, stdout=StringIO())
    assert not Asset.objects.exists()
    with pytest.raises(CommandError, match="below zero"):
        call_command("seed_assets", assets=-1)
