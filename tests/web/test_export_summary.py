"""What an export was asked for, as its page says it."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories.assets import AssetFactory
from tests.factories.exports import queue_export
from tests.web.test_translation import GERMAN


def page_text(browser: Client, export: Any, **headers: str) -> str:
    return html.unescape(browser.get(f"/exports/{export.pk}", headers=headers).content.decode())


def test_filters_are_said_by_their_titles(browser: Client, owner: User) -> None:
    status = AssetFactory().status
    filters = {"status_id": [status.pk], "location_id": [None], "include_sublocations": True, "search": "<b>"}
    export = queue_export(owner, kind="excel", filters=filters, sort_by="name", sort_order="desc")
    page = page_text(browser, export)
    for text in (f"Status: {status.name}", "Location: (none)", "Include sublocations: Yes", "Search: <b>"):
        assert text in page
    assert "Assets, Excel" in page
    assert "Name, descending" in page


def test_many_values_are_counted(browser: Client, owner: User) -> None:
    assert "Ids: 21 values" in page_text(browser, queue_export(owner, filters={"ids": list(range(21))}))


def test_a_german_reads_it_in_german(browser: Client, owner: User) -> None:
    page = page_text(browser, queue_export(owner, filters={"location_id": [None]}), **GERMAN)
    assert "Standort: (ohne)" in page
    assert "<strong>angefragt</strong>" in page


@pytest.mark.parametrize("filters", [{"status_id": [7]}, {}])
def test_who_lost_the_right_still_reads_what_was_asked(browser: Client, owner: User, filters: Any) -> None:
    export = queue_export(owner, filters=filters)
    owner.user_permissions.clear()
    page = page_text(browser, export)
    assert ("status_id: 7" if filters else "none: every row") in page
