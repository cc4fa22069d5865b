"""The list of exports, with the real worker, scheduler and queue behind it."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acting import SLOW, collect_downloads, newest, queue
from tests.browser.conftest import ASSETS
from tests.browser.site import NAME
from tests.system.installation import Installation, wait_for

pytestmark = pytest.mark.services
SHIFTS = """new PerformanceObserver(list => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted = (window.shifted || 0) + one.value;
}).observe({type: "layout-shift", buffered: true})"""


@pytest.mark.usefixtures("worker")
def test_it_is_queued_moves_and_is_ready_without_a_reload(page: Page) -> None:
    card = queue(page, kind="excel")
    page.evaluate("window.same = true")
    expect(card.get_by_role("link", name="Download")).to_be_visible(timeout=SLOW)
    expect(card.locator(".state")).to_contain_text(f"Ready: {ASSETS:,} rows.")
    expect(page.locator("#news")).to_contain_text("Ready")
    assert page.evaluate("window.same")
    with collect_downloads(page) as got:
        card.get_by_role("link", name="Download").click()
    assert got[0].suggested_filename.endswith(".xlsx")


def test_polling_ends_when_nothing_moves_and_rests_while_nobody_looks(page: Page) -> None:
    card = queue(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/progress" in request.url else None)
    wait_for(lambda: page.wait_for_timeout(100) or asked, "The first question")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.wait_for_timeout(300)
    before = len(asked)
    page.wait_for_timeout(4_500)
    assert len(asked) == before
    page.evaluate("""() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) }""")
    wait_for(lambda: page.wait_for_timeout(100) or len(asked) > before, "The question of a page that is seen again")
    card.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/")
    after = len(asked)
    page.wait_for_timeout(4_500)
    assert len(asked) == after


def test_what_waits_says_which_number_it_is_and_that_nobody_works(page: Page) -> None:
    queue(page)
    card = queue(page)
    expect(card.locator(".left")).to_contain_text("about number 2")
    expect(page.locator("#stalled")).to_contain_text("No worker is at work", timeout=SLOW)
    for _ in range(2):
        page.get_by_role("button", name="Cancel").first.click()
        page.wait_for_url("**/")
    expect(page.locator("#stalled")).to_have_text("")


def test_progress_moves_without_moving_the_page(page: Page, installation: Installation) -> None:
    card = queue(page, kind="excel")
    page.wait_for_timeout(600)
    page.evaluate(SHIFTS)
    worker = installation.start_worker()
    try:
        moved = card.locator(".percent").filter(has_not_text=re.compile("^0%$"))
        ready = card.get_by_role("link", name="Download")  # a quick machine is done between two looks
        expect(moved.or_(ready).first).to_be_visible(timeout=SLOW)
        shifted = page.evaluate("window.shifted || 0")
    finally:
        installation.kill(worker)
    assert shifted == 0
    page.goto("/")
    card = newest(page)
    if card.get_by_role("button", name="Cancel").count():
        card.get_by_role("button", name="Cancel").click()


@pytest.mark.usefixtures("worker")
def test_run_again_edit_copy_and_delete(page: Page, installation: Installation) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card = queue(page, "tickets", "json")
    expect(card.get_by_role("link", name="Download")).to_be_visible(timeout=SLOW)
    with collect_downloads(page) as got:
        card.get_by_role("button", name="Run again").click()
    assert len(json.loads(got[0].path().read_text())["data"]) == 300
    card.get_by_role("button", name="Copy as curl").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    said = page.evaluate("navigator.clipboard.readText()")
    url = page.url.rstrip("/")
    command = said.replace("http://127.0.0.1:8000", url)
    token = installation.token(NAME)
    file = installation.folder / "by-curl.json"
    command = command.replace(said.split(" -o ")[1].split(" ")[0], str(file), 1)
    done = subprocess.run(["bash", "-c", command], env={**installation.environment, "TOKEN": token}, check=False)
    assert done.returncode == 0
    assert len(json.loads(file.read_text())["data"]) == 300
    card.get_by_role("link", name="Edit and run again").click()
    expect(page.locator("#format-json")).to_be_checked()
    page.goto("/")
    card = newest(page)
    card.get_by_text("Delete…").click()
    card.get_by_role("button", name="Yes, delete").click()
    expect(newest(page).locator(".state")).to_contain_text("Deleted")


def test_a_cancelled_one_is_retried(page: Page, installation: Installation) -> None:
    card = queue(page, "tickets")
    card.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/")
    newest(page).get_by_role("button", name="Retry").click()
    page.wait_for_url("**/")
    worker = installation.start_worker()
    try:
        expect(newest(page).get_by_role("link", name="Download")).to_be_visible(timeout=SLOW)
    finally:
        installation.kill(worker)


@pytest.mark.usefixtures("worker")
def test_one_export_shows_itself_whole_once_it_is_done(page: Page, installation: Installation) -> None:
    card = queue(page, "tickets", "excel")
    card.locator("h2 a").click()
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=SLOW)
    (row,) = installation.rows("SELECT sha256 FROM rowferry_export ORDER BY created_at DESC LIMIT 1")
    expect(page.locator("#digest")).to_have_text(row["sha256"])
    expect(page.locator(".timeline li").first).to_contain_text("initiated")
    expect(page.locator(".timeline li.completed")).to_be_visible()
    with collect_downloads(page) as got:
        page.get_by_role("link", name="Manifest as JSON").click()
    assert json.loads(got[0].path().read_text())["sha256"] == row["sha256"]


def test_the_list_is_narrowed_by_state(page: Page) -> None:
    queue(page, "tickets").get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/")
    page.get_by_text("Show only some").click()
    page.get_by_label("State").select_option("cancelled")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**status=cancelled**")
    states = page.locator("article .state").all_inner_texts()
    assert states
    assert set(states) == {"Cancelled."}
