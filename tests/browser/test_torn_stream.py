"""Contract 3.1: a stream that fails half way must not look whole, to a person's browser neither."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rowferry.exports.models import Export
from tests.api.conftest import create_assets
from tests.api.test_broken_stream import server
from tests.browser.acting import collect_downloads, open_form
from tests.browser.site import chromium, visitor
from tests.conftest import may_export
from tests.factories.people import PASSWORD, UserFactory
from tests.support.unreadable import break_row

__all__ = ["server"]
pytestmark = pytest.mark.services
NAME = "owner"


def download(address: str) -> str | None:
    """What Chromium says is wrong with the file that it was given for the filled-in form; None = nothing."""
    with chromium() as browser:
        page = visitor(browser, address).new_page()
        page.goto("/login")
        page.get_by_label("Username").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/")
        open_form(page, "unreadable")
        page.locator("#format-csv").check()
        with collect_downloads(page) as got:
            page.get_by_role("button", name="Export", exact=True).click()
        return got[0].failure()


@pytest.mark.parametrize(("broken", "status"), [(True, "failed"), (False, "completed")])
def test_chromium_calls_a_torn_stream_a_failed_download(server: int, broken: bool, status: str) -> None:
    may_export(UserFactory(username=NAME))
    create_assets(6_000)
    break_row(5_000 if broken else 6_000)
    with ThreadPoolExecutor(1) as beside:  # Playwright's loop would keep Django from the database in this thread
        failure = beside.submit(download, f"http://127.0.0.1:{server}").result(240)
    assert (failure is not None) == broken
    assert [(one.status, one.mode) for one in Export.objects.all()] == [(status, "streamed")]
