"""Losing nothing: messages lost and doubled, workers that die, tries that fail, orders that are taken back."""

from __future__ import annotations

import csv
import hashlib
import resource
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
from rowferry.exports import execution, lifecycle, notification, tasks, ticker, tracking
from rowferry.exports.errors import Conflict, FenceLost, StorageFault
from rowferry.exports.heartbeat import Heartbeat
from rowferry.exports.lifecycle import Claim
from rowferry.exports.models import Attempt, EmailOutbox, Export, ExportLog
from rowferry.exports.spool.folder import QueueFolder
from rowferry.exports.storage import storage
from tests.conftest import may_export
from tests.factories.assets import AssetFactory
from tests.factories.exports import again, changed, events, lease_over, names, queued, watched_rows
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bells(settings: Any, tmp_path: Path) -> Iterator[QueueFolder]:
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


def claimed() -> Claim:
    claim = lifecycle.claim_due(execution.worker_name())
    assert claim is not None
    return claim


def is_sound(export: Export, folder: Path) -> bool:
    """Whether the folder holds this export's one file and its manifest, and the file is what the row says."""
    data = (folder / export.file_key).read_bytes()
    return names(folder) == [export.file_key, f"{export.file_key}.manifest.json"] and (
        export.file_size,
        export.sha256,
    ) == (len(data), hashlib.sha256(data).hexdigest())


def ids(export: Export, folder: Path) -> list[int]:
    with (folder / export.file_key).open(encoding="utf-8-sig", newline="") as stream:
        return [int(row["id"]) for row in csv.DictReader(stream)]


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
    export = queued(owner)
    claims = in_threads(4, lambda: lifecycle.claim_due("me"))
    assert len([claim for claim in claims if claim]) == 1
    assert (again(export).attempt, again(export).fence) == (1, 1)
    assert events(export) == ["initiated", "processing"]


def test_a_message_that_comes_three_times_makes_one_file_one_event_and_one_mail(owner: User, storage_folder: Path):
    AssetFactory.create_batch(3)
    export = queued(owner)
    for _ in range(3):
        tasks.run(str(export.pk))
        notification.send_due()
    assert is_sound(again(export), storage_folder)
    assert events(export) == ["initiated", "processing", "completed", "notified"]
    assert len(mail.outbox) == 1


# The bell


def test_an_order_rings_once(owner: User, bells: QueueFolder):
    queued(owner)
    assert bells.size() == 1


def test_a_lost_message_is_rung_again(owner: User, bells: QueueFolder):
    export = queued(owner)
    bells.purge()
    assert ticker.ring_due() == 1
    assert bells.size() == 1
    assert again(export).rung_at is not None


def test_what_was_rung_for_just_now_is_left_alone_and_later_rung_again(owner: User, bells: QueueFolder):
    export = queued(owner)
    assert [ticker.ring_due(), ticker.ring_due()] == [1, 0]
    changed(export, rung_at=timezone.now() - ticker.RING_AGAIN - timedelta(seconds=1))
    assert ticker.ring_due() == 1


def test_only_what_a_worker_may_take_is_rung_for(owner: User, bells: QueueFolder):
    running, over, done = queued(owner), queued(owner), queued(owner)
    for _ in (running, over):
        claimed()
    lease_over(over)
    changed(done, status="completed")
    assert ticker.ring_due() == 1
    assert (again(over).rung_at is not None, again(running).rung_at, again(done).rung_at) == (True, None, None)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "amqp://127.0.0.1:9//", "spool:///dev/null/spool"])
def test_with_the_broker_down_an_order_is_taken_at_once_and_done_later(
    owner: User, bells: QueueFolder, storage_folder: Path, url: str
):
    with broker(url):
        started = time.monotonic()
        export = queued(owner)
        assert time.monotonic() - started < 1
        assert ticker.ring_due() == 0
    app.set_current()
    assert (again(export).status, again(export).rung_at) == ("pending", None)
    assert ticker.ring_due() == 1
    tasks.run(str(export.pk))
    assert again(export).status == "completed"


# A worker that dies, and one that was only taken for dead


def test_after_its_lease_an_export_starts_over_with_a_new_fence(owner: User, storage_folder: Path):
    with watched_rows(5_000):
        export = queued(owner, "groups")
        dead = claimed()
        changed(export, exported_items=4_000)
        lease_over(export)
        execution.run_next()
        done = again(export)
        assert (done.status, done.attempt, done.fence, done.exported_items) == ("completed", 2, dead.fence + 1, 5_000)
        assert is_sound(done, storage_folder)
        assert len(set(ids(done, storage_folder))) == 5_000
    assert events(export) == ["initiated", "processing", "processing", "completed"]


def test_a_worker_that_was_taken_for_dead_publishes_nothing(owner: User, storage_folder: Path):
    heirs: list[Export | None] = []

    def overtaken() -> None:
        lease_over(export)
        heirs.append(execution.run_next())

    with watched_rows(5_000) as at_row:
        export = queued(owner, "groups")
        at_row[4_500] = overtaken
        execution.run_next()
        done = again(export)
        assert [heir.pk for heir in heirs if heir] == [export.pk]
        assert (done.status, done.fence, done.file_key) == ("completed", 2, f"{export.pk}.2.csv")
        assert is_sound(done, storage_folder)
    assert events(export).count("completed") == 1
    assert EmailOutbox.objects.count() == 1


def test_a_late_completion_loses_the_fence_and_takes_its_file_with_it(owner: User, storage_folder: Path):
    export = queued(owner)
    old = claimed()
    lease_over(export)
    new = claimed()
    execution.run(old)
    assert names(storage_folder) == []
    assert (again(export).status, again(export).fence) == ("processing", new.fence)
    execution.run(new)
    assert again(export).status == "completed"
    assert is_sound(again(export), storage_folder)


def test_no_act_of_an_old_attempt_reaches_the_row(owner: User):
    export = queued(owner)
    old = claimed()
    lease_over(export)
    claimed()
    before = Export.objects.filter(pk=export.pk).values().get()
    with pytest.raises(FenceLost):
        lifecycle.beat(old, 10)
    with pytest.raises(FenceLost):
        lifecycle.progress(old, 10, batch=1, batches=2, duration_ms=3)
    assert not lifecycle.fail(old, execution.UnexpectedFault("Late."), 10)
    assert not lifecycle.mark_cancelled(old, 10)
    assert Export.objects.filter(pk=export.pk).values().get() == before


def test_a_job_that_kills_each_of_its_workers_fails_after_three(owner: User, bells: QueueFolder):
    export = queued(owner)
    for _ in range(3):
        claimed()
        lease_over(export)
    assert lifecycle.claim_due("a fourth") is None
    assert ticker.ring_due() == 0
    assert ticker.end_abandoned() == 1
    failed = again(export)
    assert (failed.status, failed.error["code"], failed.attempt) == ("failed", "interrupted", 3)
    assert [attempt.outcome for attempt in Attempt.objects.filter(export=export)] == ["interrupted"] * 3
    notification.send_due()
    assert [message.subject for message in mail.outbox] == ["Your export failed"]


def test_the_heartbeat_keeps_the_lease_on_a_connection_of_its_own(owner: User, settings: Any):
    settings.ROWFERRY_HEARTBEAT = 0.02
    export = queued(owner)
    claim = claimed()
    lease_over(export)
    with Heartbeat(claim) as heart:
        heart.rows = 123
        wait_for(lambda: again(export).exported_items == 123)
    assert again(export).lease_until > timezone.now()


def test_the_heartbeat_hears_that_another_worker_took_over(owner: User, settings: Any):
    settings.ROWFERRY_HEARTBEAT = 0.02
    export = queued(owner)
    old = claimed()
    with Heartbeat(old) as heart:
        changed(export, fence=old.fence + 1)
        wait_for(lambda: stopped(heart))
        with pytest.raises(FenceLost):
            heart.check()


def test_the_heartbeat_lets_go_after_the_deadline(owner: User, settings: Any):
    settings.ROWFERRY_HEARTBEAT, settings.ROWFERRY_TIME_LIMIT = 0.01, 0.05
    queued(owner)
    with Heartbeat(claimed()) as heart:
        wait_for(lambda: not heart._thread.is_alive())


def stopped(heart: Heartbeat) -> bool:
    return heart._stop is not None


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not come to pass."
        time.sleep(0.01)


# Tries that fail


def test_a_failed_try_waits_its_delay_in_the_row_and_the_third_is_the_last(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_RETRY_DELAY = 45
    storage_folder.write_text("A file where the folder should be.")
    export = queued(owner)
    for number in (1, 2):
        execution.run_next()
        waiting = again(export)
        assert (waiting.status, waiting.attempt, waiting.worker) == ("processing", number, "")
        wait = (waiting.lease_until - timezone.now()).total_seconds()
        assert 40 < wait <= 45
        assert waiting.message == f"Try {number} of 3 failed; the next one comes by itself."
        assert execution.run_next() is None
        lease_over(export)
    execution.run_next()
    failed = again(export)
    assert (failed.status, failed.attempt, failed.error["code"]) == ("failed", 3, "storage_fault")
    assert "processing retrying processing retrying processing failed" in " ".join(events(export))
    assert [a.outcome for a in Attempt.objects.filter(export=export)] == ["storage_fault"] * 3
    lease_over(export)
    assert execution.run_next() is None


def test_a_retry_that_works_is_as_good_as_a_first_try(owner: User, storage_folder: Path):
    AssetFactory.create_batch(3)
    storage_folder.write_text("A file where the folder should be.")
    export = queued(owner)
    execution.run_next()
    storage_folder.unlink()
    lease_over(export)
    execution.run_next()
    done = again(export)
    assert (done.status, done.attempt, done.error, done.exported_items) == ("completed", 2, None, 3)
    assert is_sound(done, storage_folder)
    assert [kind for (kind,) in EmailOutbox.objects.values_list("kind")] == ["completed"]


def test_a_try_that_takes_too_long_is_tried_again_and_then_fails(owner: User, storage_folder: Path, settings: Any):
    settings.ROWFERRY_TIME_LIMIT = 0.2
    with watched_rows(5_000) as at_row:
        export = queued(owner, "groups")
        for _ in range(3):
            at_row[2_500] = lambda: time.sleep(0.3)
            execution.run_next()
            lease_over(export)
    failed = again(export)
    assert (failed.status, failed.error["code"], failed.attempt) == ("failed", "time_limit", 3)
    assert events(export).count("retrying") == 2
    assert names(storage_folder) == []


class TimeIsUp(BaseException):
    """What a queue raises where the worker happens to be."""


def test_the_queues_own_time_limit_ends_a_try_too(owner: User, storage_folder: Path, settings: Any):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    with watched_rows(5_000) as at_row:
        export = queued(owner, "groups")
        at_row[2_500] = raising(TimeIsUp())
        execution.run_next((TimeIsUp,))
    assert (again(export).status, again(export).error["code"]) == ("failed", "time_limit")
    assert names(storage_folder) == []


def test_a_bug_fails_in_words_without_its_trace_and_the_next_export_works(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    with watched_rows(10) as at_row:
        export = queued(owner, "groups")
        at_row[0] = raising(ZeroDivisionError("secret"))
        execution.run_next()
        failed = again(export)
        assert (failed.status, failed.error["code"]) == ("failed", "unexpected_fault")
        assert "secret" not in str(failed.error)
        following = queued(owner, "groups")
        execution.run_next()
    assert again(following).status == "completed"


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# Orders that are taken back


def test_what_waits_is_cancelled_at_once(owner: User):
    export = queued(owner)
    assert tracking.cancel(owner, export.pk).status == "cancelled"
    assert execution.run_next() is None
    line = ExportLog.objects.get(export=export, event="cancelled")
    assert line.actor_name == "owner"
    with pytest.raises(Conflict):
        tracking.cancel(owner, export.pk)


def test_what_runs_stops_at_its_next_batch(owner: User, storage_folder: Path):
    def cancel() -> None:
        assert tracking.cancel(owner, export.pk).message == "Being cancelled…"
        time.sleep(execution.LOOK_EVERY)

    with watched_rows(9_000) as at_row:
        export = queued(owner, "groups")
        at_row[2_500] = cancel
        at_row[4_500] = lambda: pytest.fail("It went on after the batch.")
        execution.run_next()
        assert 4_500 in at_row
    assert (again(export).status, again(export).exported_items) == ("cancelled", 4_000)
    assert events(export) == ["initiated", "processing", "cancelled"]
    assert names(storage_folder) == []
    assert Attempt.objects.get(export=export).outcome == "cancelled"
    assert not EmailOutbox.objects.exists()


def test_what_is_cancelled_at_its_last_row_is_never_completed(owner: User, storage_folder: Path):
    with watched_rows(3_000) as at_row:
        export = queued(owner, "groups")
        at_row[3_000] = lambda: tracking.cancel(owner, export.pk)
        execution.run_next()
    assert again(export).status == "cancelled"
    assert "completed" not in events(export)
    assert names(storage_folder) == []


def test_a_retry_that_waits_can_be_cancelled(owner: User, storage_folder: Path):
    storage_folder.write_text("A file where the folder should be.")
    export = queued(owner)
    execution.run_next()
    assert tracking.cancel(owner, export.pk).status == "cancelled"
    lease_over(export)
    assert execution.run_next() is None
    assert events(export) == ["initiated", "processing", "retrying", "cancelled"]


def test_what_was_cancelled_while_its_worker_died_is_cancelled_and_not_tried_again(owner: User):
    export = queued(owner)
    claimed()
    tracking.cancel(owner, export.pk)
    lease_over(export)
    assert execution.run_next() is None
    assert ticker.end_abandoned() == 1
    assert again(export).status == "cancelled"
    assert Attempt.objects.get(export=export).outcome == "interrupted"


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_retry_by_hand_is_a_new_export_with_the_same_spec(owner: User, storage_folder: Path, status: str):
    AssetFactory.create_batch(3)
    old = changed(queued(owner, columns=["id", "name"]), status=status)
    new = tracking.retry(owner, old.pk)
    assert (new.retry_of_id, new.spec, new.mode, again(old).status) == (old.pk, old.spec, "queued", status)
    execution.run_next()
    assert (again(new).status, again(new).exported_items, again(old).status) == ("completed", 3, status)


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "expired", "deleted"])
def test_only_what_failed_or_was_cancelled_can_be_retried(owner: User, status: str):
    with pytest.raises(Conflict):
        tracking.retry(owner, changed(queued(owner), status=status).pk)


# Turns


def order_of_work() -> list[str]:
    """Whose exports one worker does, one after the other."""
    done = []
    while (export := execution.run_next()) is not None:
        done.append(export.user_name)
    return done


def test_twenty_exports_of_one_do_not_starve_the_one_of_another_even_with_one_worker(owner: User, stranger: User):
    for _ in range(20):
        queued(owner)
    execution.run_next()
    queued(stranger)
    assert "stranger" in order_of_work()[:2]


def test_two_who_order_much_take_turns(owner: User, stranger: User):
    for person in (owner, stranger):
        for _ in range(4):
            queued(person)
    assert order_of_work()[1:] == ["stranger", "owner", "stranger", "owner", "stranger", "owner", "stranger"]


def test_a_second_worker_serves_somebody_else_first(owner: User, stranger: User):
    for person in (owner, owner, stranger):
        queued(person)
    assert [claimed().export.user_name for _ in range(3)] == ["owner", "stranger", "owner"]


def test_who_has_an_export_at_work_waits_however_long_ago_it_began(owner: User, stranger: User):
    for person in (owner, stranger):
        queued(person)
    running = claimed().export
    changed(running, started_at=timezone.now() - timedelta(hours=1))
    execution.run_next()
    queued(owner)
    queued(stranger)
    assert claimed().export.user_name == "stranger"


def test_one_persons_exports_are_done_in_their_order(owner: User):
    orders = [queued(owner).pk for _ in range(5)]
    assert [claimed().export.pk for _ in orders] == orders


# Rights


def test_who_lost_the_right_gets_a_refusal_and_no_second_try(owner: User, storage_folder: Path):
    export = queued(owner)
    owner.user_permissions.clear()
    execution.run_next()
    failed = again(export)
    assert (failed.status, failed.attempt, failed.error["code"]) == ("failed", 1, "not_permitted")
    assert failed.error["retryable"] is False
    assert names(storage_folder) == []


def test_the_export_of_a_removed_user_does_not_run(storage_folder: Path):
    person = may_export(UserFactory(username="gone"))
    export = queued(person)
    person.delete()
    execution.run_next()
    failed = again(export)
    assert (failed.status, failed.attempt, failed.error["code"]) == ("failed", 1, "not_permitted")
    assert names(storage_folder) == []


def test_a_user_who_was_barred_gets_nothing(owner: User):
    export = queued(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    execution.run_next()
    assert again(export).error["code"] == "not_permitted"


# The disk


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow over so many bytes: what a full disk looks like to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_leaves_no_part_behind_and_the_next_export_works(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    with watched_rows(5_000, width=4_000):
        export = queued(owner, "groups")
        with file_size_limit(12_000_000):
            execution.run_next()
        failed = again(export)
        assert (failed.status, failed.error["code"]) == ("failed", "storage_fault")
        assert "too large" in failed.error["detail"]
        assert names(storage_folder) == []
        following = queued(owner, "groups")
        execution.run_next()
        assert is_sound(again(following), storage_folder)


def test_a_folder_that_becomes_a_file_while_it_is_written_to_fails_clearly(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_MAX_ATTEMPTS = 1

    def lose_the_folder() -> None:
        storage_folder.rename(storage_folder.with_name("lost"))
        storage_folder.write_text("A file where the folder was.")

    with watched_rows(5_000) as at_row:
        export = queued(owner, "groups")
        at_row[2_500] = lose_the_folder
        execution.run_next()
    assert (again(export).status, again(export).error["code"]) == ("failed", "storage_fault")


def test_a_manifest_that_cannot_be_written_takes_the_file_with_it(owner: User, storage_folder: Path, settings: Any):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    export = queued(owner)
    storage_folder.mkdir()
    in_the_way = storage_folder / f"{export.pk}.1.csv.manifest.json.part"
    in_the_way.mkdir()
    execution.run_next()
    assert (again(export).status, again(export).error["code"]) == ("failed", "storage_fault")
    assert names(storage_folder) == [in_the_way.name]


def test_a_small_file_is_written_whole_or_not_at_all(storage_folder: Path):
    with file_size_limit(12_000_000), pytest.raises(StorageFault, match="too large"):
        storage().put("a-file", bytes(13_000_000))
    assert names(storage_folder) == []
    assert storage().put("a-file", b"x").size == 1
    assert names(storage_folder) == ["a-file"]
