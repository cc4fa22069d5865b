"""How a form says a value of a filter, and rows without one."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from rowferry.exports.catalogue import ResourceInfo
from rowferry.exports.resources.parameter import Parameter
from rowferry.web.forms.export import ExportForm, initial_of
from rowferry.web.forms.fields import from_field_text, to_field_text
from rowferry.web.forms.list_filters import parse_selection, selection_fields

TYPED = Parameter("code", "Code", "text", multiple=True, nullable=True)
TICKED = Parameter("kind", "Kind", "choice", multiple=True, nullable=True, choices=(("null", "Null"), ("x", "X")))
NEVER_EMPTY = Parameter("tag", "Tag", "text", multiple=True)
RESOURCE = ResourceInfo("things", "Things", "", "", (), (TYPED, TICKED, NEVER_EMPTY))
WISHES: list[dict[str, Any]] = [
    {"code": [None]},
    {"code": ["null"]},
    {"code": ["null", "x", None, "\\null", "\\\\null", "Null", "\\x", "nullx"]},
    {"kind": [None, "null", "x"]},
    {"kind": ["null"]},
    {"tag": ["null", "\\null"]},
]


@pytest.mark.parametrize("parameter", [TYPED, NEVER_EMPTY])
@pytest.mark.parametrize("text", ["null", "\\null", "\\\\null", "\\", "\\n", "NULL", "", "nul"])
def test_every_text_comes_back_from_a_form(parameter: Parameter, text: str) -> None:
    assert from_field_text(to_field_text(text, parameter), parameter) == text


@pytest.mark.parametrize("filters", WISHES)
def test_the_form_says_what_a_body_said(filters: dict[str, Any]) -> None:
    initial = initial_of({"format": "csv", "filters": filters}, RESOURCE)
    posted = QueryDict(mutable=True)
    for name, value in initial.items():
        posted.setlist(name, value if isinstance(value, list) else [value])
    assert ExportForm(RESOURCE, None, posted).payload()["filters"] == filters  # type: ignore[arg-type]


@pytest.mark.parametrize("filters", WISHES)
def test_a_list_hands_its_filters_to_the_form(filters: dict[str, Any]) -> None:
    posted = QueryDict(mutable=True)
    for name, value in selection_fields(RESOURCE, {"columns": [], "filters": filters}):
        posted.appendlist(name, value)
    assert parse_selection(RESOURCE, posted)["filters"] == filters
    assert ExportForm(RESOURCE, None, posted).payload()["filters"] == filters  # type: ignore[arg-type]


def test_what_is_ticked_is_shown_by_its_own_name() -> None:
    initial = initial_of({"format": "csv", "filters": {"kind": [None, "null"]}}, RESOURCE)
    [pick] = ExportForm(RESOURCE, None, initial=initial).picks  # type: ignore[arg-type]
    assert pick.chosen == [("null", "(none)"), ("\\null", "Null")]
    assert pick.offered == [("x", "X")]
