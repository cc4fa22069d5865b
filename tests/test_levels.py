"""The test levels of CONTRIBUTING.md: which tests run once, and which run on every database and broker."""

from __future__ import annotations

import re

import pytest

from tests.pages import ROOT, page

STARTS_SERVERS = re.compile(r"^(@|pytestmark = ).*\bmark\.services\b", re.MULTILINE)


def runs_once(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("once") is not None


def test_what_asks_for_no_database_runs_once(request: pytest.FixtureRequest):
    assert runs_once(request)


def test_what_asks_for_a_person_runs_on_all(request: pytest.FixtureRequest, owner: object):
    assert not runs_once(request)


@pytest.mark.django_db
def test_what_is_marked_as_using_the_database_runs_on_all(request: pytest.FixtureRequest):
    assert not runs_once(request)


@pytest.mark.system
def test_what_starts_processes_runs_on_all(request: pytest.FixtureRequest):
    assert not runs_once(request)


def test_what_starts_servers_is_run_by_the_make_target_for_it():
    (line,) = [line for line in page("Makefile").splitlines() if "-m services" in line]
    asked_for = [ROOT / word for word in line.split() if word.startswith("tests/")]
    marked = [path for path in (ROOT / "tests").rglob("test_*.py") if STARTS_SERVERS.search(path.read_text())]
    assert marked
    for path in marked:
        assert any(folder in path.parents for folder in asked_for), path
