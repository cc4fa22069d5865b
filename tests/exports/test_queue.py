"""Whose turn it is: messages lost and doubled, workers that reach for the same export, people who order much."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.utils import timezone

from rowferry.config.celery import Celery, app, configuration
from rowferry.exports import lifecycle, tasks
from rowferry.exports.execution import queued
from rowferry.exports.scheduling import notifications, scheduler
from rowferry.filesystem_broker.folder import QueueFolder
from tests.conftest import may_export
from tests.factories.assets import AssetFactory
from tests.factories.exports import (
    claim_export,
    end_lease,
    events,
    is_sound,
    list_files,
    queue_export,
    reload_export,
    update_export,
)
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker_folder(settings: Any, tmp_path: Path) -> Iterator[QueueFolder]:
    """A broker of this test's own: the messages that wait for a worker."""
    with broker(f"spool://{tmp_path / 'spool'}"):
        yield QueueFolder(tmp_path / "spool", "exports")


@contextmanager
def broker(url: str) -> Iterator[None]:
    """Messages go to this broker."""
    other = Celery("other", set_as_current=False)
    other.conf.update(configuration(url))
    other.set_current()
    try:
        yield
    finally:
        other.close()
        app.set_current()


def in_threads(count: int, act: Callable[[], Any]) -> list[Any]:
    """The results of so many calls at the same moment, each on a connection of its own."""
    start, results = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            results.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# One of many


def test_of_workers_that_reach_for_one_export_at_once_one_gets_it(owner: User):
    export = queue_export(owner)
    claims = in_threads(4, lambda: lifecycle.claim_due("me"))
    assert len([claim for claim in claims if claim]) == 1
    assert (reload_export(export).attempt, reload_export(export).fence) == (1, 1)
    assert events(export) == ["initiated", "processing"]


def test_a_message_that_comes_three_times_makes_one_file_one_event_and_one_mail(owner: User, storage_folder: Path):
    AssetFactory.create_batch(3)
    export = queue_export(owner)
    for _ in range(3):
        tasks.run(str(export.pk))
        notifications.send_due()
    assert is_sound(reload_export(export), storage_folder)
    assert events(export) == ["initiated", "processing", "completed", "notified"]
    assert len(mail.outbox) == 1


# Wake-up messages


def test_an_order_sends_one_message(owner: User, broker_folder: QueueFolder):
    queue_export(owner)
    assert broker_folder.size() == 1


def test_a_lost_message_is_sent_again(owner: User, broker_folder: QueueFolder):
    export = queue_export(owner)
    broker_folder.purge()
    assert scheduler.notify_due() == 1
    assert broker_folder.size() == 1
    assert reload_export(export).wakeup_sent_at is not None


def test_a_message_is_not_sent_again_before_the_interval_is_over(owner: User, broker_folder: QueueFolder):
    export = queue_export(owner)
    assert [scheduler.notify_due(), scheduler.notify_due()] == [1, 0]
    update_export(export, wakeup_sent_at=timezone.now() - scheduler.NOTIFY_INTERVAL - timedelta(seconds=1))
    assert scheduler.notify_due() == 1


def test_messages_are_sent_only_for_what_a_worker_may_take(owner: User, broker_folder: QueueFolder):
    running, over, done = queue_export(owner), queue_export(owner), queue_export(owner)
    for _ in (running, over):
        claim_export()
    end_lease(over)
    update_export(done, status="completed")
    assert scheduler.notify_due() == 1
    assert (
        reload_export(over).wakeup_sent_at is not None,
        reload_export(running).wakeup_sent_at,
        reload_export(done).wakeup_sent_at,
    ) == (
        True,
        None,
        None,
    )


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "amqp://127.0.0.1:9//", "spool:///dev/null/spool"])
def test_with_the_broker_down_an_order_is_taken_at_once_and_done_later(
    owner: User, broker_folder: QueueFolder, storage_folder: Path, url: str
):
    with broker(url):
        started = time.monotonic()
        export = queue_export(owner)
        assert time.monotonic() - started < 1
        assert scheduler.notify_due() == 0
    app.set_current()
    assert (reload_export(export).status, reload_export(export).wakeup_sent_at) == ("pending", None)
    assert scheduler.notify_due() == 1
    tasks.run(str(export.pk))
    assert reload_export(export).status == "completed"


# Turns


def order_of_work() -> list[str]:
    """Whose exports one worker does, one after the other."""
    done = []
    while (export := queued.run_next()) is not None:
        done.append(export.user_name)
    return done


def test_twenty_exports_of_one_do_not_starve_the_one_of_another_even_with_one_worker(owner: User, stranger: User):
    for _ in range(20):
        queue_export(owner)
    queued.run_next()
    queue_export(stranger)
    assert "stranger" in order_of_work()[:2]


def test_two_who_order_much_take_turns(owner: User, stranger: User):
    for person in (owner, stranger):
        for _ in range(4):
            queue_export(person)
    assert order_of_work()[1:] == ["stranger", "owner", "stranger", "owner", "stranger", "owner", "stranger"]


def test_a_second_worker_serves_somebody_else_first(owner: User, stranger: User):
    for person in (owner, owner, stranger):
        queue_export(person)
    assert [claim_export().export.user_name for _ in range(3)] == ["owner", "stranger", "owner"]


def test_who_has_an_export_at_work_waits_however_long_ago_it_began(owner: User, stranger: User):
    for person in (owner, stranger):
        queue_export(person)
    running = claim_export().export
    update_export(running, started_at=timezone.now() - timedelta(hours=1))
    queued.run_next()
    queue_export(owner)
    queue_export(stranger)
    assert claim_export().export.user_name == "stranger"


def test_one_persons_exports_are_done_in_their_order(owner: User):
    orders = [queue_export(owner).pk for _ in range(5)]
    assert [claim_export().export.pk for _ in orders] == orders


# Rights


def test_who_lost_the_right_gets_a_refusal_and_no_second_try(owner: User, storage_folder: Path):
    export = queue_export(owner)
    owner.user_permissions.clear()
    queued.run_next()
    failed = reload_export(export)
    assert (failed.status, failed.attempt, failed.error["code"]) == ("failed", 1, "not_permitted")
    assert failed.error["retryable"] is False
    assert list_files(storage_folder) == []


def test_the_export_of_a_removed_user_does_not_run(storage_folder: Path):
    person = may_export(UserFactory(username="gone"))
    export = queue_export(person)
    person.delete()
    queued.run_next()
    failed = reload_export(export)
    assert (failed.status, failed.attempt, failed.error["code"]) == ("failed", 1, "not_permitted")
    assert list_files(storage_folder) == []


def test_a_user_who_was_barred_gets_nothing(owner: User):
    export = queue_export(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    queued.run_next()
    assert reload_export(export).error["code"] == "not_permitted"
