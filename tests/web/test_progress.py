"""A page that is open: what it is told, when nothing is said, and when it may stop asking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from rowferry.exports import lifecycle
from rowferry.exports.execution.queued import run_next
from rowferry.exports.models import Status
from rowferry.exports.queue_status import queue_statuses, workers_stalled
from tests.factories.assets import AssetFactory
from tests.factories.exports import claim_export, create_export_in_state, queue_export, update_export
from tests.web.conftest import Page


def poll_url(response: Any) -> str:
    """The address that the page asks; empty = it asks no more."""
    return Page(response).all("div", id="poll")[0].get("hx-get", "")


def test_nothing_new_is_said_in_no_words(browser: Client, owner: User) -> None:
    queue_export(owner)
    assert browser.get(poll_url(browser.get("/"))).status_code == 204


def test_progress_comes_as_the_part_that_moved(browser: Client, owner: User) -> None:
    export = create_export_in_state(owner, Status.PROCESSING, total_items=200)
    address = poll_url(browser.get("/"))
    update_export(export, exported_items=100)
    response = browser.get(address)
    page = Page(response)
    assert page.all("progress")[0]["value"] == "50"
    assert page.all("div", id=f"live-{export.pk}")[0]["hx-swap-oob"] == "true"
    assert not page.all("div", id=f"actions-{export.pk}")
    assert browser.get(poll_url(response)).status_code == 204


def test_the_end_brings_the_buttons_and_the_silence(browser: Client, owner: User) -> None:
    AssetFactory()
    export = queue_export(owner)
    address = poll_url(browser.get("/"))
    run_next()
    response = browser.get(address)
    assert f"/exports/{export.pk}/download" in response.content.decode()
    assert "Ready: 1 row." in response.content.decode()
    assert poll_url(response) == ""


def test_the_page_of_one_export_is_loaded_anew_at_its_end(browser: Client, owner: User) -> None:
    export = queue_export(owner)
    address = poll_url(browser.get(f"/exports/{export.pk}"))
    run_next()
    assert browser.get(address)["HX-Refresh"] == "true"


def test_a_quiet_list_asks_nothing(browser: Client, owner: User) -> None:
    create_export_in_state(owner, Status.CANCELLED)
    assert poll_url(browser.get("/")) == ""


def test_nobody_watches_somebody_elses(browser: Client, stranger: User) -> None:
    export = queue_export(stranger)
    response = browser.get(f"/progress?id={export.pk}&id=junk")
    assert str(export.pk) not in response.content.decode()


def test_asking_is_cheap(browser: Client, owner: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        create_export_in_state(owner, Status.PROCESSING)
    address = poll_url(browser.get("/"))
    with django_assert_max_num_queries(4):  # session, person, exports, is anything overdue
        assert browser.get(address).status_code == 204


def test_the_place_in_the_queue_counts_everybodys(owner: User, stranger: User) -> None:
    first, second, third = queue_export(stranger), queue_export(owner), queue_export(owner)
    places = {key: found.place for key, found in queue_statuses([third, second, first]).items()}
    assert places == {first.pk: 1, second.pk: 2, third.pk: 3}


def test_the_time_left_follows_the_pace_so_far(owner: User) -> None:
    began = timezone.now() - timedelta(seconds=10)
    export = create_export_in_state(owner, Status.PROCESSING, started_at=began, exported_items=25, total_items=100)
    left = queue_statuses([export])[export.pk].left
    assert left is not None
    assert 30 <= left <= 33


@pytest.mark.parametrize("values", [{"exported_items": 0}, {"exported_items": 5, "attempt": 2}])
def test_the_time_left_is_not_guessed(owner: User, values: dict[str, int]) -> None:
    export = create_export_in_state(owner, Status.PROCESSING, total_items=100, **values)
    assert queue_statuses([export])[export.pk].left is None


def test_a_page_says_when_nobody_works(browser: Client, owner: User) -> None:
    export = queue_export(owner)
    assert "No worker is at work" not in browser.get("/").content.decode()
    update_export(export, created_at=timezone.now() - timedelta(minutes=1))
    assert workers_stalled()
    assert "No worker is at work" in browser.get("/").content.decode()


def test_a_long_queue_is_not_a_dead_worker(owner: User, stranger: User) -> None:
    queue_export(owner)
    claim_export()
    update_export(queue_export(stranger), created_at=timezone.now() - timedelta(minutes=1))
    assert not workers_stalled()
    assert lifecycle.due().count() == 1


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=cancelled", ["cancelled"]),
        ("status=pending", ["waiting"]),
        ("resource_type=assets", ["waiting", "cancelled"]),
        ("resource_type=tickets", []),
        ("format=excel", []),
        ("date_from=2000-01-01&date_to=2000-12-31", []),
        ("status=&format=", ["waiting", "cancelled"]),
    ],
)
def test_the_list_is_narrowed(browser: Client, owner: User, query: str, shown: list[str]) -> None:
    made = {"cancelled": create_export_in_state(owner, Status.CANCELLED), "waiting": queue_export(owner)}
    page = browser.get(f"/?{query}").content.decode()
    assert [name for name, export in made.items() if f"name-{export.pk}" in page] == sorted(shown)


def test_paging_keeps_what_the_list_is_narrowed_by(browser: Client, owner: User) -> None:
    for _ in range(21):
        queue_export(owner)
    links = [a["href"] for a in Page(browser.get("/?status=pending")).all("a", rel="next")]
    assert links == ["?status=pending&page=2"]


def test_the_manifest_comes_as_a_file(browser: Client, owner: User) -> None:
    AssetFactory()
    export = queue_export(owner)
    assert browser.get(f"/exports/{export.pk}/manifest").status_code == 409
    run_next()
    response = browser.get(f"/exports/{export.pk}/manifest")
    export.refresh_from_db()
    assert response.json() == export.manifest
    assert response["Content-Disposition"].endswith('.manifest.json"')


def test_pages_are_sent_small(browser: Client) -> None:
    response = browser.get("/new/assets", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"


def test_files_are_sent_as_they_are(browser: Client, owner: User) -> None:
    AssetFactory()
    export = queue_export(owner)
    run_next()
    response = browser.get(f"/exports/{export.pk}/download", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response
