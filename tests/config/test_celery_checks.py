"""The checks on Celery's settings: each one fails when its setting is wrong."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

import pytest
from django.core.checks import run_checks

from rowferry.config.celery import app
from rowferry.config.celery_checks import BOUNDS, REQUIRED, check_celery_settings, check_spool_is_local, unsafe_settings

WRONG: dict[str, Any] = {
    **{name: not wanted if isinstance(wanted, bool) else "other" for name, (wanted, _) in REQUIRED.items()},
    **{name: most + 1 for name, (most, _) in BOUNDS.items()},
    "worker_max_tasks_per_child": None,
    "task_soft_time_limit": None,
    "task_time_limit": 60,
    "task_publish_retry": True,
}


@pytest.mark.parametrize("name, value", WRONG.items(), ids=WRONG)
def test_a_wrong_setting_is_named(name: str, value: Any) -> None:
    (problem,) = unsafe_settings(ChainMap({name: value}, app.conf))
    assert name in problem


def test_the_settings_as_they_are_pass() -> None:
    assert list(unsafe_settings(app.conf)) == []
    assert check_celery_settings() == []


def test_django_runs_the_checks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.BROKER_URL = "spool://var/spool"
    monkeypatch.setitem(app.conf, "task_acks_late", False)
    assert {"config.E001", "config.E002"} <= {message.id for message in run_checks()}


@pytest.mark.parametrize("url", ["spool:///tmp/spool", "redis://box/0", "amqp://box//"])
def test_a_broker_that_is_no_remote_folder_passes(url: str, settings: Any) -> None:
    settings.BROKER_URL = url
    assert check_spool_is_local() == []
