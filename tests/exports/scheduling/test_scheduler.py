"""The scheduler: one leads at a time, the lead passes on, and a duty that fails keeps no other from its turn."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from rowferry.exports import tasks
from rowferry.exports.execution import queued
from rowferry.exports.management.commands.doctor import CHECKS
from rowferry.exports.models import Leader, WorkerPing
from rowferry.exports.scheduling import scheduler
from tests.factories.assets import AssetFactory
from tests.factories.exports import claim_export, events, list_files, queue_export, reload_export, update_export

pytestmark = pytest.mark.django_db(transaction=True)


def lead_is_over() -> None:
    Leader.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


# The lead


def test_of_two_schedulers_one_leads_and_keeps_the_lead():
    assert [scheduler.lead("a"), scheduler.lead("b"), scheduler.lead("a")] == [True, False, True]


def test_of_many_that_start_at_once_one_leads():
    start, led = threading.Barrier(4), []

    def run(name: str) -> None:
        start.wait()
        try:
            led.append(scheduler.lead(name))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(led) == [False, False, False, True]


def test_the_lead_passes_on_when_its_lease_ends_and_does_not_come_back():
    scheduler.lead("a")
    lead_is_over()
    assert [scheduler.lead("b"), scheduler.lead("a")] == [True, False]
    assert Leader.objects.get().holder == "b"


def test_the_lead_passes_on_at_once_when_its_holder_resigns():
    scheduler.lead("a")
    scheduler.resign("b")
    assert not scheduler.lead("b")
    scheduler.resign("a")
    assert scheduler.lead("b")


def test_a_scheduler_that_does_not_lead_does_nothing(owner: User):
    export = queue_export(owner)
    scheduler.lead("another")
    scheduler.run(lambda seconds: True)
    assert reload_export(export).wakeup_sent_at is None
    assert Leader.objects.get().holder == "another"


def test_a_scheduler_works_at_the_set_pace_until_it_is_stopped_and_resigns(owner: User, settings: Any):
    settings.ROWFERRY_SCHEDULER_INTERVAL = 7
    waits: list[float] = []
    export = queue_export(owner)

    def stop_after_three(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 3

    scheduler.run(stop_after_three)
    assert waits == [7, 7, 7]
    assert reload_export(export).wakeup_sent_at is not None
    assert not Leader.objects.exists()


# Its duties


def test_a_duty_that_fails_does_not_stop_the_others():
    done = []

    def fails() -> None:
        raise DatabaseError("gone")

    scheduler.run_duties((lambda: done.append("before"), fails, lambda: done.append("after")))
    assert done == ["before", "after"]


def test_one_round_does_everything_that_is_due(owner: User, storage_folder: Path, settings: Any):
    AssetFactory.create_batch(2)
    old, running, waiting = queue_export(owner), queue_export(owner), queue_export(owner)
    queued.run_next()
    update_export(old, expires_at=timezone.now() - timedelta(seconds=1))
    update_export(running, status="processing", attempt=3, lease_until=timezone.now() - timedelta(seconds=1))
    scheduler.run_duties()
    assert [reload_export(export).status for export in (old, running, waiting)] == ["expired", "failed", "pending"]
    assert reload_export(waiting).wakeup_sent_at is not None
    assert sorted(message.subject.split(" (")[0] for message in mail.outbox) == [
        "Your CSV export is ready",
        "Your export failed",
    ]
    assert list_files(storage_folder) == []


def test_a_broken_storage_does_not_keep_mail_and_wakeup_messages_from_going(owner: User, storage_folder: Path):
    export, waiting = queue_export(owner), queue_export(owner)
    queued.run_next()
    update_export(export, expires_at=timezone.now() - timedelta(seconds=1))
    storage_folder.rename(storage_folder.with_name("lost"))
    storage_folder.write_text("A file where the folder was.")
    scheduler.run_duties()
    assert len(mail.outbox) == 1
    assert reload_export(waiting).wakeup_sent_at is not None
    assert events(export)[-2:] == ["notified", "expired"]


# The commands


@pytest.mark.parametrize("name", ["scheduler", "tick"])
def test_scheduler_once_makes_one_round(owner: User, name: str):
    export = queue_export(owner)
    call_command(name, "--once")
    assert reload_export(export).wakeup_sent_at is not None
    assert not Leader.objects.exists()


@pytest.fixture
def leader() -> Iterator[None]:
    scheduler.lead("a-scheduler")
    yield
    scheduler.resign("a-scheduler")


@pytest.fixture
def answering() -> Iterator[None]:
    """A thread that answers pings as a worker does."""
    ended = threading.Event()

    def listen() -> None:
        try:
            while not ended.wait(0.01):
                for ping in WorkerPing.objects.filter(worker=""):
                    tasks.answer(ping.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield
    ended.set()
    thread.join()


def diagnosis(capsys: pytest.CaptureFixture[str], wait: float = 0.1) -> tuple[int, dict[str, str]]:
    """The doctor's exit code, and what was said of each patient."""
    code = 0
    try:
        call_command("doctor", wait=wait)
    except SystemExit as ended:
        code = int(ended.code or 0)
    lines = capsys.readouterr().out.splitlines()
    return code, {line[6:].partition(":")[0]: line for line in lines}


def test_the_doctor_finds_a_healthy_installation_well(
    leader: None, answering: None, settings: Any, capsys: pytest.CaptureFixture[str]
):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://exports.example.com", ["exports.example.com"]
    code, said = diagnosis(capsys, 20)
    assert list(said) == list(CHECKS)
    patients = {name: said[name] for name in CHECKS if name != "settings"}
    assert code == 0
    assert all(line.startswith("ok    ") for line in patients.values()), patients
    assert not WorkerPing.objects.exists()


def test_the_doctor_misses_a_scheduler(capsys: pytest.CaptureFixture[str]):
    code, said = diagnosis(capsys)
    assert code == 1
    assert said["scheduler"].startswith("FAIL  scheduler: none is running: start")
    assert said["database"].startswith("ok")


def test_the_doctor_misses_a_worker_and_sees_what_waits(owner: User, leader: None, capsys: pytest.CaptureFixture[str]):
    update_export(queue_export(owner), created_at=timezone.now() - timedelta(minutes=5))
    code, said = diagnosis(capsys)
    assert code == 1
    assert said["worker"].startswith("FAIL  worker: none answered in 0.1 s: start")
    assert said["queue"].startswith("warn  queue: an export has waited for 300 s")
    assert not WorkerPing.objects.exists()


def test_the_doctor_takes_workers_that_are_busy_for_alive(
    owner: User, leader: None, capsys: pytest.CaptureFixture[str]
):
    queue_export(owner)
    claim_export()
    code, said = diagnosis(capsys)
    assert code == 0
    assert said["worker"].startswith("warn  worker: no answer in 0.1 s, but 1 exports are being made")


def test_the_doctor_warns_of_settings_for_a_trial(leader: None, settings: Any, capsys: pytest.CaptureFixture[str]):
    settings.DEBUG, settings.SECRET_KEY, settings.SITE_URL = True, "short", "http://localhost:8000"
    with pytest.raises(SystemExit):
        call_command("doctor", wait=0, json=True)
    found = json.loads(capsys.readouterr().out)
    warned = [one["detail"].split()[0] for one in found if one["check"] == "settings" and one["level"] == "warn"]
    assert {"DEBUG", "SECRET_KEY", "SITE_URL"} <= set(warned)
    assert all(one["advice"] for one in found if one["level"] != "ok")


def test_the_doctor_greets_the_mail_server_and_fails_without_one(
    leader: None, settings: Any, capsys: pytest.CaptureFixture[str]
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.EMAIL_PORT = taken.getsockname()[1]
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    code, said = diagnosis(capsys)
    assert code == 1
    assert said["mail"].startswith("FAIL  mail: ")


def test_the_doctor_sees_a_storage_that_takes_no_file(
    leader: None, storage_folder: Path, capsys: pytest.CaptureFixture[str]
):
    storage_folder.write_text("A file where the folder should be.")
    code, said = diagnosis(capsys)
    assert code == 1
    assert said["storage"].startswith("FAIL  storage: The file could not be begun")


def test_the_doctor_leaves_nothing_behind(leader: None, storage_folder: Path, capsys: pytest.CaptureFixture[str]):
    diagnosis(capsys)
    assert list_files(storage_folder) == []


def test_the_doctor_warns_of_a_database_that_it_does_not_know(
    leader: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(type(connections["default"]), "vendor", "db2")
    _, said = diagnosis(capsys)
    expected = "warn  database: Rowferry is not tested on db2: use PostgreSQL, MariaDB or SQLite"
    assert said["database"] == expected
    assert said["clock"].startswith("ok")
