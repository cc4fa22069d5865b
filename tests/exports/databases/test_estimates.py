"""Whoever asks for an export of a huge table gets an answer at once: what is counted then has an end."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rowferry.assets.models import Asset
from rowferry.exports import submission, tracking
from rowferry.exports.databases import Size, open_reader
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.execution import queued
from rowferry.exports.execution.preview import ROWS_A_SECOND
from rowferry.exports.models import Mode, Status
from rowferry.exports.planning.plan import build_plan, count_limit
from rowferry.exports.planning.spec import ExportSpec
from tests.factories.assets import AssetFactory, AssetStatusFactory, AssetTypeFactory
from tests.factories.exports import queue_export as order
from tests.factories.exports import update_export

ROWS = 30


@pytest.fixture
def small_limits(settings: Any) -> None:
    settings.ROWFERRY_IMMEDIATE_BELOW = 2
    settings.ROWFERRY_QUEUE_ABOVE = settings.ROWFERRY_REQUEST_ROW_LIMIT = settings.ROWFERRY_COUNT_LIMIT = 10


@pytest.fixture
def assets(db: None) -> None:
    AssetFactory.create_batch(ROWS)


def size(enough: int) -> Size:
    plan = build_plan(ExportSpec.parse("assets", {"format": "csv"}), None)
    with open_reader("default") as reader:
        return reader.size(plan.queryset, enough)


@pytest.mark.parametrize("enough", [ROWS, ROWS + 1, 1000])
def test_up_to_the_limit_a_count_is_exact(assets: None, enough: int) -> None:
    assert size(enough) == Size(ROWS)


@pytest.mark.parametrize("enough", [1, 10, ROWS - 1])
def test_beyond_the_limit_it_is_an_estimate_and_never_below_what_was_counted(assets: None, enough: int) -> None:
    found = size(enough)
    assert not found.exact
    assert found.rows > enough


def test_the_database_is_told_to_stop_counting(assets: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        size(10)
    (counting,) = [query["sql"] for query in asked if "COUNT(*)" in query["sql"]]
    assert "LIMIT 11" in counting
    assert "ORDER BY" not in counting


def test_what_has_to_be_exact_is_counted_whatever_the_limit(settings: Any) -> None:
    settings.ROWFERRY_COUNT_LIMIT = 5
    assert count_limit() == 100_000


@pytest.mark.django_db(transaction=True)
def test_the_worker_replaces_the_estimate_by_its_count(small_limits: None, owner: User) -> None:
    AssetFactory.create_batch(ROWS)
    answer = submission.submit("assets", {"format": "csv"}, owner)
    assert isinstance(answer, submission.Queued)
    assert answer.export.total_is_estimate
    assert "about" in answer.message
    assert "about" in str(answer.export.reason)

    queued.run_next()

    export = tracking.find(owner, answer.export.pk)
    assert (export.total_items, export.total_is_estimate, export.exported_items) == (ROWS, False, ROWS)
    assert export.progress_percent == 100


def test_pages_from_the_far_end_of_a_list_are_the_same_rows_in_the_same_order(owner: User, settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 100
    for _ in range(7):
        submission.submit("assets", {"format": "csv"}, owner)
    whole = [export.pk for export in tracking.history(owner, {}).items]
    paged = [
        export.pk for page in range(1, 5) for export in tracking.history(owner, {"page": str(page), "limit": "2"}).items
    ]
    assert len(whole) == 7
    assert paged == whole
    assert tracking.history(owner, {"page": "5", "limit": "2"}).items == []


SLOW = {"search": "no such name"}
"""What no index helps with: every row is looked at."""


@pytest.fixture
def big_table(db: None, settings: Any) -> None:
    """Big enough to be counted for longer than the setting says, on the fastest machine."""
    settings.ROWFERRY_COUNT_TIME = 0.001
    settings.ROWFERRY_QUEUE_ABOVE = 100_000
    kind, status = AssetTypeFactory(), AssetStatusFactory()
    Asset.objects.bulk_create(
        (Asset(name=f"Laptop {n} " * 10, asset_tag=f"T{n}", status=status, asset_type=kind) for n in range(20_000)),
        batch_size=1_000,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("big_table")
class TestWhatTakesTooLongToCount:
    def test_is_queued_and_its_number_is_an_estimate(self, owner: User) -> None:
        answer = submission.submit("assets", {"format": "csv", "filters": SLOW}, owner)
        assert isinstance(answer, submission.Queued)
        assert str(answer.export.reason) == "counting its rows takes longer than 0.001 s"
        assert answer.export.total_is_estimate

        queued.run_next()

        export = tracking.find(owner, answer.export.pk)
        assert (export.status, export.total_items, export.total_is_estimate) == (Status.COMPLETED, 0, False)

    def test_is_not_made_in_the_request(self, owner: User) -> None:
        with pytest.raises(InvalidRequest) as refused:
            submission.submit("assets", {"format": "csv", "filters": SLOW, "async": False}, owner)
        assert refused.value.errors["async"][0].startswith("Counting its rows takes longer than 0.001 s")

    def test_has_a_preview_all_the_same(self, owner: User) -> None:
        preview = submission.dry_run("assets", {"format": "csv", "filters": SLOW}, owner)
        assert (preview.mode, preview.exact, preview.rows) == (Mode.QUEUED, False, [])

    def test_leaves_a_reader_that_can_read(self) -> None:
        plan = build_plan(ExportSpec.parse("assets", {"format": "csv", "filters": SLOW}), None)
        with open_reader("default") as reader:
            assert not reader.size(plan.queryset, 100_000).exact
            assert reader.count(plan.queryset) == 0
            assert reader.count(Asset.objects.all()) == 20_000


@pytest.mark.django_db(transaction=True)
def test_a_count_in_time_leaves_no_limit_behind(settings: Any) -> None:
    AssetFactory()
    settings.ROWFERRY_COUNT_TIME = 0.2
    with open_reader("default") as reader:
        assert reader.size(Asset.objects.all(), 5) == Size(1)
        with reader.wrapper.cursor() as cursor:
            cursor.execute(SLEEP[connection.vendor])


SLEEP = {
    "postgresql": "SELECT pg_sleep(0.5)",
    "mysql": "SELECT count(*) FROM (SELECT 1 WHERE SLEEP(0.5) = 0) AS slept",
    "sqlite": "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n LIMIT 4000000) SELECT count(*) FROM n",
}
"""What takes longer than the count was allowed to."""


@pytest.mark.django_db
def test_an_export_does_not_wait_for_itself(owner: User) -> None:
    export = update_export(order(owner), total_items=2 * ROWS_A_SECOND)
    assert submission.queued_answer(export).wait == 2
    update_export(order(owner), total_items=3 * ROWS_A_SECOND)
    update_export(order(owner), total_items=9 * ROWS_A_SECOND, status=Status.COMPLETED)
    assert submission.queued_answer(export).wait == 5
