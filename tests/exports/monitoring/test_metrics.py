"""What Prometheus is told: true for all processes, growing only, and only for who may know."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from rowferry.exports import lifecycle
from rowferry.exports.errors import FenceLost, SourceFault
from rowferry.exports.execution import queued
from rowferry.exports.lifecycle import FileResult, counters
from rowferry.exports.models import EmailOutbox, Status
from rowferry.exports.models.counter import Counter, CounterDelta
from rowferry.exports.monitoring import health
from rowferry.exports.scheduling import notifications, scheduler
from rowferry.exports.storage import StoredFile
from tests.factories.assets import AssetFactory
from tests.factories.exports import (
    claim_export,
    complete_export,
    create_export_in_state,
    end_lease,
    queue_export,
    reload_export,
    update_export,
)

pytestmark = pytest.mark.django_db(transaction=True)
Samples = dict[tuple[str, ...], float]
FACTS = FileResult(StoredFile("a-key", 12, "ab" * 32), 3, 0, timezone.now(), {})
LABELS = ("state", "resource", "format", "event", "outcome", "phase", "program")


@pytest.fixture(autouse=True)
def fresh_health_checks() -> None:
    for check in health.CHECKS:
        check.forget()


def scrape(**headers: str) -> dict[str, Samples]:
    """By metric and the values of its labels, read by Prometheus' own parser."""
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            about = tuple(sample.labels[name] for name in LABELS if name in sample.labels)
            found.setdefault(sample.name, {})[about] = sample.value
    return found


def test_exports_at_work_are_counted_by_state_resource_and_format(owner: User) -> None:
    for _ in range(2):
        queue_export(owner)
    queue_export(owner, "tickets", "json")
    create_export_in_state(owner, Status.PROCESSING)
    create_export_in_state(owner, Status.PROCESSING, worker="")
    create_export_in_state(owner, Status.FAILED)
    assert scrape()["rowferry_exports"] == {
        ("waiting", "assets", "csv"): 2,
        ("waiting", "tickets", "json"): 1,
        ("processing", "assets", "csv"): 1,
        ("retrying", "assets", "csv"): 1,
    }


def test_a_file_is_counted_with_its_rows_bytes_and_seconds(owner: User) -> None:
    AssetFactory.create_batch(3)
    export = queue_export(owner)
    update_export(export, created_at=timezone.now() - timedelta(seconds=100))
    queued.run_next()
    assert "rowferry_rows_total" not in scrape()
    counters.aggregate()
    found = scrape()
    assert found["rowferry_rows_total"] == {("assets", "csv", "written"): 3}
    assert found["rowferry_file_bytes_total"] == {("assets", "csv"): reload_export(export).file_size}
    assert found["rowferry_events_total"] == {
        ("assets", "csv", "initiated"): 1,
        ("assets", "csv", "processing"): 1,
        ("assets", "csv", "completed"): 1,
    }
    phases = found["rowferry_phase_seconds_total"]
    assert phases["assets", "csv", "waiting"] >= 100
    assert set(phases) <= {("assets", "csv", name) for name in ("waiting", "making", "publishing")}


def test_a_lost_lease_a_retry_and_a_failure_are_counted(owner: User) -> None:
    export = queue_export(owner)
    claim_export()
    end_lease(export)
    lifecycle.fail(claim_export(), SourceFault("Gone."), 0)
    end_lease(export)
    claim_export()
    end_lease(export)
    scheduler.end_abandoned()
    counters.aggregate()
    found = scrape()
    events = found["rowferry_events_total"]
    assert found["rowferry_leases_total"] == {("assets", "csv", "lost"): 2}
    assert [events["assets", "csv", event] for event in ("processing", "retrying", "failed")] == [3, 1, 1]


def test_mails_are_counted_as_they_wait_go_and_are_given_up(owner: User) -> None:
    for _ in range(3):
        complete_export(owner)
    EmailOutbox.objects.filter(pk=EmailOutbox.objects.latest("id").pk).update(next_try_at=None)
    assert scrape()["rowferry_mails"] == {("waiting",): 2, ("given_up",): 1}
    notifications.send_due()
    counters.aggregate()
    found = scrape()
    assert found["rowferry_mails"] == {("waiting",): 0, ("given_up",): 1}
    assert found["rowferry_events_total"]["assets", "excel", "notified"] == 2


def test_ages_are_told_and_a_scheduler_that_is_not_there_has_none(owner: User, storage_folder: Path) -> None:
    storage_folder.mkdir()
    create_export_in_state(owner, Status.PROCESSING, lease_until=timezone.now() - timedelta(seconds=300))
    found = scrape()
    assert 300 <= found["rowferry_lease_overrun_seconds"][()] < 400
    assert 300 <= found["rowferry_queue_age_seconds"][()] < 400
    assert found["rowferry_free_bytes"][()] > 0
    assert "rowferry_scheduler_age_seconds" not in found
    scheduler.lead("a-scheduler")
    assert scrape()["rowferry_scheduler_age_seconds"][()] < 60


def test_a_move_that_is_rolled_back_is_not_counted(owner: User) -> None:
    export = queue_export(owner)
    claim = claim_export()
    update_export(export, fence=9)
    with pytest.raises(FenceLost):
        lifecycle.complete(claim, FACTS, 1)
    counters.aggregate()
    assert ("assets", "csv", "completed") not in scrape()["rowferry_events_total"]


def test_totals_only_grow_and_nothing_is_counted_twice() -> None:
    for _ in range(counters.MAX_DELTAS + 1):
        counters.count("assets", "csv", [("rows", "written", 10), ("rows", "failed", 0)])
    assert counters.aggregate() == counters.MAX_DELTAS + 1
    assert not CounterDelta.objects.exists()
    counters.count("assets", "csv", [("rows", "written", 1)])
    assert (counters.aggregate(), counters.aggregate()) == (1, 0)
    assert [(total.detail, total.value) for total in Counter.objects.all()] == [
        ("written", 10 * (counters.MAX_DELTAS + 1) + 1)
    ]


def test_schedulers_that_fold_at_the_same_time_count_once() -> None:
    for _ in range(100):
        counters.count("assets", "csv", [("rows", "written", 1)])
    start = threading.Barrier(4)

    def fold() -> None:
        start.wait()
        try:
            scheduler.run_duties((counters.aggregate,))
        finally:
            connection.close()

    threads = [threading.Thread(target=fold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters.aggregate()
    assert [total.value for total in Counter.objects.all()] == [100]


def test_scheduler_aggregates_counters(owner: User) -> None:
    queue_export(owner)
    scheduler.run_duties()
    assert scrape()["rowferry_events_total"]["assets", "csv", "initiated"] == 1


def test_the_cost_of_an_answer_does_not_depend_on_the_history(owner: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        create_export_in_state(owner, Status.COMPLETED)
    counters.aggregate()
    health.database_answers()
    with django_assert_max_num_queries(11):
        scrape()


def is_refused(meta: dict[str, str]) -> bool:
    answer = Client().get("/metrics", **meta)  # type: ignore[arg-type]
    assert answer.status_code in (200, 403)
    return bool(answer.status_code == 403)


@pytest.mark.parametrize(
    "meta, refuses",
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, False),
        ({"REMOTE_ADDR": "::1"}, False),
        ({"REMOTE_ADDR": "203.0.113.9"}, True),
        ({"REMOTE_ADDR": ""}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=203.0.113.9"}, True),
    ],
)
def test_without_a_token_it_answers_this_machine_only(meta: dict[str, str], refuses: bool) -> None:
    assert is_refused(meta) == refuses


def test_with_a_token_it_answers_whoever_has_it(settings: Any) -> None:
    settings.ROWFERRY_METRICS_TOKEN = "s3cret-ü"
    assert is_refused({"REMOTE_ADDR": "127.0.0.1"})
    assert is_refused({"HTTP_AUTHORIZATION": "Bearer s3cret"})
    assert not is_refused({"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer s3cret-ü"})
