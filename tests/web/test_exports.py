"""The list of one's exports and its buttons."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rowferry.exports import submission, tracking
from rowferry.exports.errors import SourceFault
from rowferry.exports.execution.queued import run_next
from rowferry.exports.lifecycle import claim_due, fail
from tests.factories.assets import AssetFactory
from tests.web.conftest import Page

Exports = Callable[[], list[Any]]


def queue_export(person: User, name: str = "csv") -> Any:
    """An export that waits."""
    return submission.enqueue("assets", {"format": name}, person)


def create_failed_export(person: User) -> Any:
    """An export that failed for good."""
    queue_export(person)
    claim = claim_due("a test")
    assert claim is not None
    fail(claim, SourceFault("The database <b>broke off</b>."), 0)
    claim.export.refresh_from_db()
    return claim.export


def status(person: User, export_id: UUID) -> str:
    return tracking.find(person, export_id).status


def without_token(response: Any) -> str:
    """A page without what differs from one answer to the next."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_the_list_shows_mine_newest_first(browser: Client, owner: User, stranger: User) -> None:
    older, newer, foreign = queue_export(owner), queue_export(owner, "json"), queue_export(stranger)
    page = browser.get("/").content.decode()
    assert 0 < page.index(str(newer.pk)) < page.index(str(older.pk))
    assert str(foreign.pk) not in page


def test_a_waiting_export_says_so_and_keeps_the_page_up_to_date(browser: Client, owner: User) -> None:
    queue_export(owner)
    page = Page(browser.get("/"))
    assert "Waiting for a worker…" in page.text
    assert "Queued, because it was asked for" in page.text
    assert page.all("progress")[0]["value"] == "0"
    assert page.all("meta", **{"http-equiv": "refresh"})


def test_a_finished_list_does_not_ask_again(browser: Client, owner: User) -> None:
    AssetFactory()
    queue_export(owner)
    run_next()
    page = Page(browser.get("/"))
    assert "Ready: 1 row." in page.text
    assert "<dt>Still kept</dt>" in page.text
    assert not page.all("meta", **{"http-equiv": "refresh"})


def test_the_list_is_paged(browser: Client, owner: User) -> None:
    made = [queue_export(owner) for _ in range(21)]
    first, second = browser.get("/").content.decode(), browser.get("/?page=2").content.decode()
    assert "Page 1 of 2" in first
    assert str(made[0].pk) not in first
    assert str(made[0].pk) in second
    assert str(made[-1].pk) not in second


def test_a_page_that_is_no_number_is_an_error_page(browser: Client) -> None:
    assert browser.get("/?page=x").status_code == 422


def test_a_failure_says_what_happened_and_what_to_do(browser: Client, owner: User, settings: Any) -> None:
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    settings.CONTACT_EMAIL = "desk@example.com"
    create_failed_export(owner)
    page = browser.get("/").content.decode()
    assert "The rows could not be read." in page
    assert "The database &lt;b&gt;broke off&lt;/b&gt;." in page
    assert "Press Retry." in page
    assert "mailto:desk@example.com" in page


def test_retry_makes_a_new_export_and_leaves_the_old_one(browser: Client, owner: User, settings: Any) -> None:
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    old = create_failed_export(owner)
    browser.post(f"/exports/{old.pk}/retry")
    new = tracking.history(owner, {}).items[0]
    assert (new.retry_of_id, new.status, status(owner, old.pk)) == (old.pk, "pending", "failed")
    assert str(old.pk) in browser.get(f"/exports/{new.pk}").content.decode()


def test_cancel_ends_a_waiting_export(browser: Client, owner: User) -> None:
    export = queue_export(owner)
    assert browser.post(f"/exports/{export.pk}/cancel")["Location"] == "/"
    assert status(owner, export.pk) == "cancelled"


def test_delete_removes_the_file(browser: Client, owner: User) -> None:
    export = queue_export(owner)
    run_next()
    browser.post(f"/exports/{export.pk}/delete")
    assert status(owner, export.pk) == "deleted"
    assert browser.get(f"/exports/{export.pk}/download").status_code == 404


@pytest.mark.parametrize("action", ["retry", "cancel", "delete"])
def test_the_buttons_take_a_post(browser: Client, owner: User, action: str) -> None:
    export = queue_export(owner)
    assert browser.get(f"/exports/{export.pk}/{action}").status_code == 405
    assert status(owner, export.pk) == "pending"
    assert len(tracking.history(owner, {}).items) == 1


@pytest.mark.parametrize(("action", "message"), [("retry", "can be retried"), ("delete", "cancel it first")])
def test_a_button_that_comes_too_late_says_why(browser: Client, owner: User, action: str, message: str) -> None:
    export = queue_export(owner)
    response = browser.post(f"/exports/{export.pk}/{action}", follow=True)
    assert message in response.content.decode()
    assert status(owner, export.pk) == "pending"


@pytest.mark.parametrize("path", ["", "/download"])
def test_somebody_elses_export_looks_like_none(other_browser: Client, owner: User, path: str) -> None:
    export = queue_export(owner)
    run_next()
    foreign, none = (other_browser.get(f"/exports/{key}{path}") for key in (export.pk, uuid4()))
    assert foreign.status_code == none.status_code == 404
    assert without_token(foreign) == without_token(none)


@pytest.mark.parametrize("action", ["retry", "cancel", "delete"])
def test_nobody_presses_somebody_elses_buttons(other_browser: Client, owner: User, action: str) -> None:
    export = queue_export(owner)
    assert other_browser.post(f"/exports/{export.pk}/{action}").status_code == 404
    assert status(owner, export.pk) == "pending"


def test_a_file_that_is_not_ready_cannot_be_downloaded(browser: Client, owner: User) -> None:
    response = browser.get(f"/exports/{queue_export(owner).pk}/download")
    assert response.status_code == 409
    assert "ask again when" in response.content.decode()


def test_one_export_shows_its_facts_its_proof_and_its_log(browser: Client, owner: User) -> None:
    AssetFactory()
    export = queue_export(owner)
    run_next()
    export.refresh_from_db()
    page = browser.get(f"/exports/{export.pk}").content.decode()
    assert export.manifest["sha256"] in page
    assert "1 expected, 1 written, 0 left out" in page
    events = ("initiated", "processing", "completed")
    assert [event for event in events if f"<strong>{event}</strong>" not in page] == []
    assert "asset_tag, serial_number" in page


def test_the_signed_in_person_acted_by_the_page(browser: Client, owner: User) -> None:
    AssetFactory()
    browser.post("/new/assets", {"format": "csv", "columns": ["id"]})
    export = tracking.history(owner, {}).items[0]
    assert ((export.actor or {})["name"], export.on_behalf_of) == ("owner", None)
    page = browser.get(f"/exports/{export.pk}").content.decode()
    assert '<span class="who">owner</span>' in page
    assert "Ordered by" not in page


def test_the_page_says_that_the_operator_acted_on_behalf_of_a_person(browser: Client, owner: User) -> None:
    export = submission.enqueue("assets", {"format": "csv"}, submission.Operator(on_behalf_of=owner))
    run_next()
    page = browser.get(f"/exports/{export.pk}").content.decode()
    assert '<span class="who">the operator, on behalf of owner</span>' in page
    assert '<span class="who">the program</span>' in page
    assert '<th scope="row">Ordered by</th><td>the operator, on behalf of owner</td>' in page
    german = browser.get(f"/exports/{export.pk}", headers={"accept-language": "de"}).content.decode()
    assert '<span class="who">der Betreiber, im Namen von owner</span>' in german
