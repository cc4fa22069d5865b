"""A search folds case by Unicode, and the same on every database."""

from __future__ import annotations

import pytest
from django.db import connection

from rowferry.assets.models import Asset
from rowferry.exports import catalogue
from rowferry.exports.databases import open_reader
from rowferry.exports.databases.text_search import fold
from rowferry.exports.planning.plan import build_plan
from rowferry.exports.planning.spec import ExportSpec
from tests.factories.assets import AssetFactory, LocationFactory

STORED = (
    "Überwachungskamera",
    "Uberwachung",
    "straße",
    "STRAẞE",
    "strasse",
    "ΟΔΟΣ",
    "οδός",
    "Жук",
    "Éclair",
    "eclair",
    "100 % Ökostrom",
    "100 x Ökostrom",
    "ö_ä",
    "öxä",
    "ö\\ä",
    "İstanbul",
    "Istanbul",
    "ısı",
    "Ǆ",
    "😀 Ñandú",
)


def found(text: str) -> list[str]:
    """What a search leaves, read as an export reads it."""
    body = {"format": "csv", "columns": ["name"], "filters": {"search": text}}
    plan = build_plan(ExportSpec.parse("assets", body), None)
    names = [str(name) for name in plan.queryset.values_list("name", flat=True)]
    with open_reader("default") as reader:
        assert reader.count(plan.queryset) == len(names)
        assert sum(block.rows for block in reader.blocks(plan.queryset, plan.expressions)) == len(names)
    return names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("überwachung", ["Überwachungskamera"]),
        ("ÜBERWACHUNGSK", ["Überwachungskamera"]),
        ("uberwachung", ["Uberwachung"]),
        ("straße", ["straße", "STRAẞE"]),
        ("STRAẞE", ["straße", "STRAẞE"]),
        ("STRASSE", ["strasse"]),
        ("οδοσ", ["ΟΔΟΣ"]),
        ("οδος", ["ΟΔΟΣ"]),
        ("οδόσ", ["οδός"]),
        ("жУК", ["Жук"]),
        ("éCLAIR", ["Éclair"]),
        ("ECLAIR", ["eclair"]),
        ("% ökoSTROM", ["100 % Ökostrom"]),
        ("Ö_Ä", ["ö_ä"]),
        ("Ö\\Ä", ["ö\\ä"]),
        ("Ö", ["100 % Ökostrom", "100 x Ökostrom", "ö_ä", "öxä", "ö\\ä"]),
        ("İSTAN", ["İstanbul"]),
        ("istan", ["Istanbul"]),
        ("ǆ", ["Ǆ"]),
        ("😀 ñANDÚ", ["😀 Ñandú"]),
        ("ü%", []),
        ("Ωμέγα", []),
    ],
)
def test_a_search_finds_the_same_words_on_every_database(db: None, text: str, names: list[str]) -> None:
    for name in STORED:
        AssetFactory(name=name)
    assert found(text) == names


def test_choices_are_searched_as_rows_are(db: None) -> None:
    place = LocationFactory(name="Ölhafen")
    assert catalogue.choices("assets", None, "location_id", "öLH").offered == ((place.pk, "Ölhafen"),)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite stores bytes that are no text")
def test_a_text_that_is_no_unicode_is_searched(db: None) -> None:
    asset = AssetFactory(name="x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE assets_asset SET name = CAST(x'ffc39c' AS TEXT) WHERE id = %s", [asset.pk])
    assert Asset.objects.filter(name__contains_any_case="ü").count() == 1


@pytest.mark.parametrize(
    ("one", "other"), [("ß", "ẞ"), ("Σ", "ς"), ("Ü", "ü"), ("ßÜ", "ẞü"), ("Ǆ", "ǆ"), ("İ", "İ"), ("K", "k")]
)
def test_characters_fold_one_by_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert len(fold(one)) == len(one)


@pytest.mark.parametrize(("one", "other"), [("ß", "ss"), ("İ", "i"), ("ı", "i"), ("ü", "u")])
def test_other_letters_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)
