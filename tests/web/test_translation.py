"""German is complete: every text of the page has one, and whoever asks for German gets it."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.text import capfirst
from django.utils.translation.template import templatize

import rowferry.web
from rowferry.exports import catalogue
from rowferry.exports.errors import RowferryError
from rowferry.exports.models import ReasonCode
from rowferry.exports.resources import registry
from rowferry.web.templatetags import export_text
from tests.factories.exports import queue_export
from tests.test_docs import ours

HERE = Path(rowferry.web.__file__).parent
CATALOGUE = HERE / "locale" / "de" / "LC_MESSAGES"
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
SAID = re.compile(r"\b(?:_|n?gettext(?:_noop|_lazy)?)\((?:u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))", re.DOTALL)


def texts() -> Iterator[str]:
    """Every text that templates and modules mark for translation."""
    for path in HERE.rglob("*.html"):
        yield from (ast.literal_eval(found) for found in SAID.findall(templatize(path.read_text())))
    for path in HERE.parent.rglob("*.py"):
        yield from (ast.literal_eval(found) for found in SAID.findall(path.read_text()))


def words_of_the_engine() -> Iterator[str]:
    """What is shown by the name that the engine or a domain gives it."""
    for resource in registry.resources():
        yield from (resource.label, capfirst(resource.name))
        yield from (column.label for column in resource.by_name.values())
    for one in catalogue.formats():
        yield from (one.label, one.description, *(text for o in one.options for text in (o.label, *o.titles.values())))
    for error in ours(RowferryError):
        if error.__module__ == "rowferry.exports.errors":
            yield from (error.title, error.advice)


@pytest.fixture(scope="module")
def german() -> set[str]:
    with (CATALOGUE / "django.mo").open("rb") as file:
        found: Any = gettext.GNUTranslations(file)
    return {key if isinstance(key, str) else key[0] for key, said in found._catalog.items() if said}


def test_every_text_has_a_german_one(german: set[str]) -> None:
    said = {text.replace("\n", " ") if text.strip() else text for text in texts()}
    assert len(said) > 200
    assert sorted(said - german) == []


@pytest.mark.django_db
def test_every_word_of_the_engine_has_a_german_one(german: set[str]) -> None:
    assert sorted(set(words_of_the_engine()) - german) == []


def test_page_has_a_sentence_for_every_reason_of_a_mode() -> None:
    assert set(export_text.REASONS) == set(ReasonCode)


@pytest.mark.parametrize("name", ["assets", "tickets"])
def test_every_label_of_a_filter_has_a_german_one(owner: User, german: set[str], name: str) -> None:
    parameters = {parameter.name: parameter for parameter in catalogue.resource(name, owner).filters}
    labels = {parameter.label for parameter in parameters.values()}
    labels |= {label for _, label in parameters["date_column"].choices or ()}
    assert sorted(labels - german) == []


def test_what_is_compiled_is_what_is_written(german: set[str]) -> None:
    text = (CATALOGUE / "django.po").read_text()
    written = re.findall(r'^msgid ((?:".*"\n)+)', text, re.MULTILINE)
    ids = {"".join(ast.literal_eval(line) for line in one.splitlines()) for one in written}
    assert ids == german
    assert "fuzzy" not in text


def test_a_german_browser_gets_german(browser: Client, owner: User) -> None:
    queue_export(owner)
    page = browser.get("/", headers=GERMAN).content.decode()
    assert '<html lang="de">' in page
    assert "Meine Exporte" in page
    assert "Wartet auf einen Worker…" in page
    form = browser.post("/new/assets/preview", {"format": "csv", "columns": ["id"]}, headers=GERMAN).content.decode()
    assert "wird sofort beantwortet, weil es weniger als 1.000 Zeilen sind" in form


@pytest.mark.parametrize("languages", ["", "en", "fr", "xx"])
def test_everybody_else_gets_english(browser: Client, languages: str) -> None:
    page = browser.get("/", headers={"Accept-Language": languages} if languages else {}).content.decode()
    assert '<html lang="en">' in page
    assert "My exports" in page


def test_the_api_speaks_english_to_everybody(browser: Client) -> None:
    assert b"Not found" in browser.get("/api/v1/exports/nope", headers=GERMAN).content
