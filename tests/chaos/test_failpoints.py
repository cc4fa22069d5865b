"""Failpoints: the product knows nothing of them, and the processes of chaos find every function that they wrap."""

from __future__ import annotations

import os
import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest
from chaos.faults.failpoints import POINTS, FailpointFolder, InjectedError, fire

from tests.pages import ROOT, page

SOURCES = sorted((ROOT / "src").rglob("*.py"))
"""Of the product."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_module_of_the_product_knows_of_chaos(path: Path):
    assert not re.search(r"\bchaos\b|failpoint", path.read_text(), re.IGNORECASE)


def test_the_package_that_is_installed_holds_nothing_of_chaos():
    assert 'packages = ["src/rowferry"]' in page("pyproject.toml")
    assert not list((ROOT / "src").rglob("chaos*"))


def test_a_trap_is_for_one_and_says_who_stepped_into_it(tmp_path: Path):
    failpoints = FailpointFolder(tmp_path)
    failpoints.arm("after_claim", "raise")
    with pytest.raises(InjectedError):
        fire(tmp_path, "after_claim")
    fire(tmp_path, "after_claim")
    fire(tmp_path, "mid_rows")
    (fired,) = failpoints.list_fired()
    assert (fired.point, fired.action, fired.pid, failpoints.count_armed()) == ("after_claim", "raise", os.getpid(), 0)


def test_every_function_that_a_failpoint_wraps_is_there():
    for point in POINTS.values():
        assert callable(attrgetter(point.function)(import_module(point.module)))
