"""What machines ask: is it alive, is it ready; and how soon they hear."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from rowferry.exports.models import Leader, Status
from rowferry.exports.monitoring import health
from rowferry.exports.monitoring.health import CheckResult, HealthCheck
from rowferry.exports.scheduling import scheduler
from rowferry.runtime.supervisor import web_command
from tests.factories.exports import create_export_in_state, queue_export, update_export
from tests.services.running import answers, free_port
from tests.support.log_lines import wait_for

LONG_AGO = timedelta(days=1)
COMMAND = web_command("127.0.0.1", 0)
"""Asked for before any test changes a setting."""


@pytest.fixture(autouse=True)
def fresh_health_checks() -> None:
    """No test sees what another has measured."""
    for check in health.CHECKS:
        check.forget()


@pytest.fixture
def ready(transactional_db: None) -> Client:
    """An installation on which all is well, to be asked."""
    scheduler.lead("a-scheduler")
    return Client()


def checks(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["checks"]
    return found


def test_alive_needs_no_database_no_sign_in_and_no_known_host(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["exports.example.com"]
    answer = Client().get("/healthz", headers={"host": "10.0.0.7:8000"})
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"ok", "no-store")
    assert Client().post("/healthz").status_code == 405


def test_ready_says_each_check_with_its_value_and_limit(ready: Client) -> None:
    answer = ready.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert list(checks(answer)) == ["database", "queue_age", "lease_overrun", "scheduler_age", "storage", "free_space"]
    assert checks(answer)["queue_age"] == {"ok": True, "value": 0, "limit": 600, "unit": "seconds", "detail": ""}


def failing(answer: Any) -> list[str]:
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    return [name for name, check in checks(answer).items() if not check["ok"]]


def test_an_export_that_waits_too_long_is_not_ready(ready: Client, owner: User) -> None:
    update_export(queue_export(owner), created_at=timezone.now() - LONG_AGO)
    answer = ready.get("/readyz")
    assert failing(answer) == ["queue_age"]
    assert checks(answer)["queue_age"]["value"] >= LONG_AGO.total_seconds()


def test_an_export_that_waits_for_its_retry_does_not_wait_for_a_worker(ready: Client, owner: User) -> None:
    create_export_in_state(owner, Status.PROCESSING, created_at=timezone.now() - LONG_AGO)
    assert ready.get("/readyz").status_code == 200


def test_a_lease_that_nobody_takes_over_is_not_ready(ready: Client, owner: User) -> None:
    create_export_in_state(owner, Status.PROCESSING, lease_until=timezone.now() - timedelta(seconds=300))
    answer = ready.get("/readyz")
    assert failing(answer) == ["lease_overrun"]
    assert 300 <= checks(answer)["lease_overrun"]["value"] < 400
    assert 300 <= checks(answer)["queue_age"]["value"] < 400


def test_no_scheduler_and_one_that_stopped_are_not_ready(ready: Client) -> None:
    Leader.objects.update(lease_until=timezone.now() - LONG_AGO)
    assert failing(ready.get("/readyz")) == ["scheduler_age"]
    Leader.objects.all().delete()
    health.CHECKS[0].forget()
    answer = ready.get("/readyz")
    assert failing(answer) == ["scheduler_age"]
    assert checks(answer)["scheduler_age"]["detail"] == "No scheduler leads."


def test_a_storage_that_takes_no_file_is_not_ready(ready: Client, storage_folder: Path) -> None:
    storage_folder.write_text("A file where the folder should be.")
    answer = ready.get("/readyz")
    assert failing(answer) == ["storage"]
    assert str(storage_folder) not in answer.content.decode()


def test_a_full_disk_is_not_ready_unless_nobody_minds(ready: Client, settings: Any) -> None:
    settings.ROWFERRY_READY_FREE_MB = 10**9
    assert failing(ready.get("/readyz")) == ["free_space"]
    settings.ROWFERRY_READY_FREE_MB = 0
    health.CHECKS[1].forget()
    assert ready.get("/readyz").status_code == 200


def test_many_who_ask_are_one_look_and_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = [], threading.Event()

    def hang() -> Iterator[CheckResult]:
        begun.append(threading.get_ident())
        end.wait(60)
        yield CheckResult(name="slow", ok=True)

    check = HealthCheck("slow", hang)
    for _ in range(3):
        (reading,) = check.wait(check.start(), 0.01)
        assert (reading.ok, reading.detail) == (False, "No answer in 2.5 seconds.")
    end.set()
    assert check.wait(check.start(), 60) == [CheckResult(name="slow", ok=True)]
    assert len(begun) == 1


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.system
def test_a_database_that_hangs_is_said_while_it_hangs(tmp_path: Path, silent: int) -> None:
    port = free_port()
    command = [part.replace("127.0.0.1:0", f"127.0.0.1:{port}") for part in COMMAND]
    own = {"ROWFERRY_DATA_DIR": str(tmp_path), "DATABASE_URL": f"postgresql://me:secret@127.0.0.1:{silent}/rows"}
    web = subprocess.Popen(command, env={**os.environ, **own}, stderr=sys.stderr)
    try:
        wait_for(answers(port), 30)
        for _ in range(2):
            answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60)
            assert answer.status_code == 503
            assert not answer.json()["checks"]["database"]["ok"]
            assert answer.json()["checks"]["storage"]["ok"]
            assert "secret" not in answer.text
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60).text == "ok"
    finally:
        web.kill()
        web.wait()
