"""Any step at any time: thousands of lives of exports, and not one promise broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from rowferry.filesystem_broker.folder import QueueFolder
from tests.exports.test_queue import broker
from tests.support.state_machine import ExportMachine

STEPS = int(os.environ.get("STATE_MACHINE_STEPS", "600"))
"""The same ones every time; with a number given, so many at random."""
STEPS_OF_A_LIFE = 40
PHASES = [Phase.generate]


@pytest.fixture
def broker_folder(tmp_path: Path) -> Iterator[QueueFolder]:
    with broker(f"spool://{tmp_path / 'spool'}"):
        yield QueueFolder(tmp_path / "spool", "exports")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(1200)
def test_whatever_happens_in_whatever_order_every_promise_holds(
    owner: User, storage_folder: Path, broker_folder: QueueFolder, unlimited_quota: None
):
    ExportMachine.steps = 0
    while ExportMachine.steps < STEPS:
        examples = max(1, (STEPS - ExportMachine.steps) // STEPS_OF_A_LIFE)
        run_state_machine_as_test(
            lambda: ExportMachine(owner, storage_folder, broker_folder), settings=limit_steps(examples)
        )
    print(f"steps: {ExportMachine.steps}")  # noqa: T201  (the figure of chaos)


def limit_steps(examples: int) -> settings:
    """So many lives, each with the steps that it may take; not all take them all."""
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS_OF_A_LIFE,
        phases=PHASES,
        derandomize="STATE_MACHINE_STEPS" not in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def unlimited_quota(settings: Any) -> None:
    """Nobody orders too much."""
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1_000_000
