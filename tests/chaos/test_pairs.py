"""Every failpoint with every action, on real processes: whatever dies or errs there, the export is had in the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from chaos.faults.failpoints import ACTIONS, ON_S3, POINTS
from chaos.installation import Site, site
from django.utils import timezone

from chaos import checker
from rowferry.exports.models import IdempotencyKey
from tests.services.s3 import CREDENTIALS, s3

pytestmark = [pytest.mark.system, pytest.mark.services]
SETTINGS = {"CHAOS_HASTE": "1", "CHAOS_HANG": "4", "ROWFERRY_TIME_LIMIT": "3"}
"""A hang is longer than a try may take."""
PAIRS = list(product(POINTS.keys() - ON_S3, ACTIONS))


@pytest.fixture(scope="module")
def place(django_db_blocker: Any) -> Iterator[Site]:
    with django_db_blocker.unblock(), site(4_000, **SETTINGS) as found:
        found.start(workers=1)
        yield found


@pytest.fixture(scope="module")
def place_on_s3(django_db_blocker: Any) -> Iterator[Site]:
    with django_db_blocker.unblock(), s3() as url, site(4_000, STORAGE_URL=url, **CREDENTIALS, **SETTINGS) as found:
        found.start(workers=1)
        yield found


@pytest.mark.parametrize(("point", "action"), list(product(ON_S3, ACTIONS)), ids=lambda word: word)
def test_an_export_is_had_on_s3_whatever_happens_at(place_on_s3: Site, point: str, action: str):
    had(place_on_s3, point, action)


def test_nothing_is_left_over_on_s3(place_on_s3: Site):
    assert checker.judge(place_on_s3, []).faults == {}


@pytest.mark.parametrize(("point", "action"), sorted(PAIRS), ids=lambda word: word)
def test_an_export_is_had_once_whatever_happens_at(place: Site, point: str, action: str):
    had(place, point, action)


def had(place: Site, point: str, action: str) -> None:
    """What is ordered after a trap was set is had once, in the end."""
    place.traps.arm(point, action)
    export_id = place.order("csv", f"{point}.{action}")
    if point == "during_expire":
        assert place.wait(lambda: place.exports.get(pk=export_id).status == "completed")
        place.exports.filter(pk=export_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert place.wait(lambda: not place.traps.waiting()), "Nobody came by."
    assert checker.rest(place), place.log[-3000:]
    verdict = checker.Verdict()
    export = place.exports.get(pk=export_id)
    checker.of_one(place, export, place.rows(), verdict)
    assert verdict.faults == {}
    assert export.status == ("expired" if point == "during_expire" else "completed")
    assert place.exports.count() == IdempotencyKey.objects.using(place.alias).count()


def test_nothing_is_left_over_of_all_that(place: Site):
    assert checker.judge(place, []).faults == {}
    assert place.exports.exclude(status__in=["completed", "expired"]).count() == 0
