"""Every failpoint with every action, on real processes: whatever dies or errs there, the export is had in the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from chaos.faults.failpoints import ACTIONS, ON_S3, POINTS
from chaos.installation import Installation, create_installation
from django.utils import timezone

from chaos import checker
from rowferry.exports.models import IdempotencyKey
from tests.services.s3 import CREDENTIALS, s3

pytestmark = [pytest.mark.system, pytest.mark.services]
SETTINGS = {"CHAOS_HASTE": "1", "CHAOS_HANG": "4", "ROWFERRY_TIME_LIMIT": "3"}
"""A hang is longer than a try may take."""
PAIRS = list(product(POINTS.keys() - ON_S3, ACTIONS))


@pytest.fixture(scope="module")
def installation(django_db_blocker: Any) -> Iterator[Installation]:
    with django_db_blocker.unblock(), create_installation(4_000, **SETTINGS) as found:
        found.start(workers=1)
        yield found


@pytest.fixture(scope="module")
def installation_on_s3(django_db_blocker: Any) -> Iterator[Installation]:
    with (
        django_db_blocker.unblock(),
        s3() as url,
        create_installation(4_000, STORAGE_URL=url, **CREDENTIALS, **SETTINGS) as found,
    ):
        found.start(workers=1)
        yield found


@pytest.mark.parametrize(("point", "action"), list(product(ON_S3, ACTIONS)), ids=lambda word: word)
def test_an_export_is_had_on_s3_whatever_happens_at(installation_on_s3: Installation, point: str, action: str):
    check_export_finishes(installation_on_s3, point, action)


def test_nothing_is_left_over_on_s3(installation_on_s3: Installation):
    assert checker.check_installation(installation_on_s3, []).faults == {}


@pytest.mark.parametrize(("point", "action"), sorted(PAIRS), ids=lambda word: word)
def test_an_export_is_had_once_whatever_happens_at(installation: Installation, point: str, action: str):
    check_export_finishes(installation, point, action)


def check_export_finishes(installation: Installation, point: str, action: str) -> None:
    """An export that is ordered after a failpoint was armed finishes, once."""
    installation.failpoints.arm(point, action)
    export_id = installation.create_export("csv", f"{point}.{action}")
    if point == "during_expire":
        assert installation.wait_until(lambda: installation.exports.get(pk=export_id).status == "completed")
        installation.exports.filter(pk=export_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert installation.wait_until(lambda: not installation.failpoints.count_armed()), "Nobody came by."
    assert checker.wait_until_idle(installation), installation.log[-3000:]
    verdict = checker.Verdict()
    export = installation.exports.get(pk=export_id)
    checker.check_export(installation, export, installation.rows(), verdict)
    assert verdict.faults == {}
    assert export.status == ("expired" if point == "during_expire" else "completed")
    assert installation.exports.count() == IdempotencyKey.objects.using(installation.alias).count()


def test_nothing_is_left_over_of_all_that(installation: Installation):
    assert checker.check_installation(installation, []).faults == {}
    assert installation.exports.exclude(status__in=["completed", "expired"]).count() == 0
