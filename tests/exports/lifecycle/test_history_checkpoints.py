"""A person's history, found from milestones, is the history that is counted from its end."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rowferry.exports import tracking
from rowferry.exports.lifecycle import history_checkpoints
from rowferry.exports.models import Export, HistoryCheckpoint
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=30)
SIZE = 23


@pytest.fixture(autouse=True)
def short_steps(monkeypatch):
    monkeypatch.setattr(history_checkpoints, "STEP", 4)
    monkeypatch.setattr(history_checkpoints, "MOST_AT_ONCE", 3)


def create_exports(person, count, since=LONG_AGO, apart=timedelta(seconds=1), **more):
    """So many exports of a person, the oldest first."""
    facts = {
        "resource": "assets",
        "format": "csv",
        "spec": {"options": {}},
        "mode": "queued",
        "mode_reason": {"code": "requested"},
    }
    facts |= {"user": person, "total_items": 0, **more}
    return Export.objects.bulk_create(Export(created_at=since + n * apart, **facts) for n in range(count))


def list_all_pages(person, limit):
    """Every page, one after the other."""
    pages = [tracking.history(person, {"limit": str(limit)})]
    for number in range(2, pages[0].last + 1):
        pages.append(tracking.history(person, {"limit": str(limit), "page": str(number)}))
    assert {page.total for page in pages} == {pages[0].total}
    assert all(len(page.items) == limit for page in pages[:-1])
    return [export.pk for page in pages for export in page.items]


def expected_keys(person) -> list[UUID]:
    mine = Export.objects.filter(user=person, keep=True).order_by("-created_at", "-id")
    return list(mine.values_list("pk", flat=True))


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 100])
@pytest.mark.parametrize("apart", [timedelta(seconds=1), timedelta(0)], ids=["one after the other", "all at once"])
def test_every_page_holds_what_it_would_without_milestones(owner, stranger, limit, apart):
    create_exports(owner, SIZE, apart=apart)
    create_exports(owner, 5, apart=apart, keep=False)
    create_exports(stranger, 7, apart=apart)
    for _ in range(3):  # the first finds no milestones, the second some, the last all
        assert list_all_pages(owner, limit) == expected_keys(owner)
    assert list_all_pages(stranger, limit) == expected_keys(stranger)
    marks = HistoryCheckpoint.objects.filter(user=owner).order_by("number")
    assert list(marks.values_list("number", flat=True)) == [4, 8, 12, 16, 20]
    assert [mark.export_id for mark in marks] == expected_keys(owner)[::-1][3::4]


def test_milestones_follow_as_the_history_grows(owner):
    for batch in range(5):
        create_exports(owner, 6, LONG_AGO + batch * timedelta(hours=1))
        assert list_all_pages(owner, 4) == expected_keys(owner)
    create_exports(owner, 6, timezone.now())
    assert list_all_pages(owner, 4) == expected_keys(owner)


def test_what_is_not_settled_is_no_milestone(owner):
    create_exports(owner, SIZE, timezone.now() - timedelta(hours=23))
    assert list_all_pages(owner, 5) == expected_keys(owner)
    assert not HistoryCheckpoint.objects.exists()


def test_some_are_set_at_a_time(owner):
    create_exports(owner, SIZE)
    for found in (3, 5, 5):
        assert tracking.history(owner, {}).total == SIZE
        assert HistoryCheckpoint.objects.count() == found


def test_two_that_set_the_same_milestones_do_not_disturb_each_other(owner, monkeypatch):
    create_exports(owner, SIZE)
    tracking.history(owner, {})
    monkeypatch.setattr(history_checkpoints, "_before", lambda person, rank=None: None)
    assert tracking.history(owner, {}).total == SIZE
    assert HistoryCheckpoint.objects.count() == 3


def test_the_rows_of_a_page_are_asked_for_by_their_keys_alone(owner):
    """With the order beside them, SQLite walks through the index of the whole history."""
    create_exports(owner, 3)
    with CaptureQueriesContext(connection) as seen:
        assert len(tracking.history(owner, {}).items) == 3
    assert " IN (" in seen.captured_queries[-1]["sql"]
    assert "ORDER BY" not in seen.captured_queries[-1]["sql"]


def test_a_filtered_history_goes_without(owner):
    create_exports(owner, SIZE)
    create_exports(owner, 2, status="failed")
    assert tracking.history(owner, {"status": "failed"}).total == 2
    assert tracking.history(owner, {"resource_type": "assets", "limit": "100"}).total == SIZE + 2
    assert not HistoryCheckpoint.objects.exists()


def test_a_page_behind_the_last_is_empty(owner):
    create_exports(owner, SIZE)
    page = tracking.history(owner, {"page": "1000"})
    assert (page.items, page.total, page.last) == ([], SIZE, 2)


def test_the_milestones_go_with_the_person():
    person = UserFactory()
    create_exports(person, SIZE)
    tracking.history(person, {})
    Export.objects.filter(user=person).update(user=None)
    person.delete()
    assert not HistoryCheckpoint.objects.exists()


def test_the_operator_sees_all(owner, stranger):
    create_exports(owner, 3, resource=f"r{uuid4().hex}")
    create_exports(stranger, 2)
    assert tracking.history(None, {}).total == 5
