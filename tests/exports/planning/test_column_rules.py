"""Columns for which a permission is missing: what is written instead, in every format, and where it is said."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from rowferry.assets.models import Asset
from rowferry.exports import submission
from rowferry.exports.models import ExportLog
from rowferry.exports.resources import permissions
from rowferry.exports.resources.resource import Resource
from tests.exports.formats.files import READERS
from tests.factories.tickets import TicketFactory
from tests.support.making import content, run_export
from tests.support.restricted_resource import WITHHELD, OwnersResource, grant_details, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_migrate_makes_the_permission_of_a_column(guarded_resource: Resource) -> None:
    permissions.create_missing("default")
    assert Permission.objects.get(codename="see_details").content_type.model == "asset"


@pytest.mark.parametrize("kind", READERS)
def test_every_format_holds_text_in_place_of_what_is_withheld(
    guarded_resource: Resource, asset: Asset, owner: User, kind: str
) -> None:
    export = run_export("guarded", owner, format=kind)
    (row,) = READERS[kind](content(export))
    values = list(row.values()) if isinstance(row, dict) else row
    assert str(values[0]) == str(asset.pk)
    assert values[1:4] == ["***", "…0123", "***"]
    assert all(len(value) == 64 and int(value, 16) for value in values[4:])
    assert len(values) == 7
    assert {one["type"] for one in export.manifest["columns"][1:]} == {"text"}


@pytest.mark.parametrize("kind", READERS)
def test_nothing_of_the_values_is_in_the_file(guarded_resource: Resource, asset: Asset, owner: User, kind: str) -> None:
    data = content(run_export("guarded", owner, format=kind))
    assert not [value for value in (b"Laptop7", b"SN-000", b"2025-01-02", b"T-1") if value in data]


def test_with_the_permission_everything_is_shown(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    (row,) = rows("guarded", grant_details(owner))
    assert (row["name"], row["serial"], row["holder"], row["asset_tag"]) == ("Laptop7", "SN-000123", owner.pk, "T-1")


def test_a_hash_is_keyed_and_the_same_in_each_export_and_zone(
    guarded_resource: Resource, asset: Asset, owner: User, settings: Any
) -> None:
    (first,), (again,) = rows("guarded", owner), rows("guarded", owner, time_zone="Asia/Tokyo")
    assert first == again
    (plain,) = READERS["csv"](content(run_export("guarded", owner, format="csv", columns=["initial", "created_at"])))
    assert plain == [first["initial"], first["created_at"]]
    settings.SECRET_KEY = "another"
    (other,) = rows("guarded", owner)
    assert {other[name] for name in ("holder", "initial")}.isdisjoint(first.values())
    assert first["initial"] != sha256(b"L").hexdigest()


def test_hashes_of_one_field_join_across_resources_and_those_of_others_do_not(
    declare: Callable[[type[Resource]], Resource], guarded_resource: Resource, asset: Asset, owner: User, settings: Any
) -> None:
    declare(OwnersResource)
    TicketFactory(created_by=owner, pk=owner.pk)
    (held,), (asked,) = rows("guarded", owner), rows("owners", owner)
    assert held["holder"] == asked["holder"]
    assert asked["holder"] != asked["id"]
    key = hmac.digest(settings.SECRET_KEY.encode(), b"rowferry.hash:auth.user.id", "sha256")
    assert held["holder"] == hmac.digest(key, str(owner.pk).encode(), "sha256").hex()


def test_the_hash_of_nothing_is_nothing_and_a_mask_does_not_tell(
    guarded_resource: Resource, asset: Asset, owner: User
) -> None:
    Asset.objects.update(assigned_to=None, purchase_date=None, serial_number=None)
    (row,) = rows("guarded", owner)
    assert (row["holder"], row["purchase_date"], row["serial"]) == (None, "***", "…")


def test_a_short_value_is_masked_whole(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    Asset.objects.update(serial_number="1234567")
    assert rows("guarded", owner)[0]["serial"] == "…"
    Asset.objects.update(serial_number="日本語のテキスト")
    assert rows("guarded", owner)[0]["serial"] == "…テキスト"


def test_manifest_log_and_dry_run_say_what_is_withheld(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    said = (
        "Without the permission to see them: name is masked; serial is masked; purchase_date is masked; "
        "holder is hashed; created_at is hashed; initial is hashed; asset_tag is left out."
    )
    export = run_export("guarded", owner, format="csv")
    assert export.manifest["withheld"] == WITHHELD
    assert ExportLog.objects.filter(export=export, message=said).exists()
    preview = submission.dry_run("guarded", {"format": "csv"}, owner)
    assert said in preview.warnings
    assert preview.rows[0]["name"] == "***"
    shown = run_export("guarded", grant_details(owner), format="csv")
    assert shown.manifest["withheld"] == {}
    assert not ExportLog.objects.filter(export=shown, message__startswith="Without").exists()


def test_no_warning_tells_what_withheld_text_looks_like(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    Asset.objects.update(name="=1+1")
    assert not any("formula" in line for line in submission.dry_run("guarded", {"format": "csv"}, owner).warnings)
    assert any(
        "formula" in line for line in submission.dry_run("guarded", {"format": "csv"}, grant_details(owner)).warnings
    )


def test_a_withheld_value_is_not_quoted_by_the_error_of_its_row(
    guarded_resource: Resource, asset: Asset, owner: User
) -> None:
    Asset.objects.update(name="top secret")
    export = run_export("guarded", owner, format="csv")
    assert export.failed_items == 1
    assert not any("secret" in f"{log.message} {log.error_message}" for log in ExportLog.objects.all())
