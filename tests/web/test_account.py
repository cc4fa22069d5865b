"""Tokens of one's own, and a password that was forgotten."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from rowferry.api.models import ApiToken, issue
from tests.web.conftest import Page

NEW_PASSWORD = "battery staple 7"


def create_token(browser: Client, name: str = "report", lifetime: str = "90") -> str:
    """Make a token on the page; what the answer shows."""
    page = Page(browser.post("/tokens", {"name": name, "lifetime": lifetime}))
    return page.values("input", id="fresh")[0]


def opens(token: str) -> int:
    return Client().get("/api/v1/resources", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_made_shown_once_and_opens_the_api(browser: Client, owner: User) -> None:
    token = create_token(browser)
    assert opens(token) == 200
    assert token not in browser.get("/tokens").content.decode()
    kept = ApiToken.objects.get(user=owner)
    assert (kept.name, kept.prefix) == ("report", token[:10])
    assert token not in str(ApiToken.objects.values_list().get())


@pytest.mark.parametrize(("lifetime", "days"), [("30", 30), ("365", 365), ("", None)])
def test_a_token_lasts_as_long_as_was_said(browser: Client, lifetime: str, days: int | None) -> None:
    create_token(browser, lifetime=lifetime)
    ends = ApiToken.objects.get().expires_at
    if days is None:
        assert ends is None
    else:
        assert ends is not None
        assert abs(ends - timezone.now() - timedelta(days=days)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "body", [{"name": "", "lifetime": "90"}, {"name": "x", "lifetime": "4000"}, {"name": "x" * 101}]
)
def test_a_token_that_is_asked_for_wrongly_is_not_made(browser: Client, body: dict[str, str]) -> None:
    response = browser.post("/tokens", body)
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert not ApiToken.objects.exists()


def test_the_page_says_when_a_token_was_last_used(browser: Client) -> None:
    token = create_token(browser)
    assert "<td>never</td>" in browser.get("/tokens").content.decode()
    opens(token)
    assert "<td>never</td>" not in browser.get("/tokens").content.decode()


def test_a_revoked_token_is_401_at_once(browser: Client) -> None:
    token = create_token(browser)
    browser.post(f"/tokens/{ApiToken.objects.get().pk}/revoke")
    assert opens(token) == 401


def test_an_expired_token_is_401_and_says_so_on_the_page(browser: Client, owner: User) -> None:
    token = issue(owner, "old", timezone.now() - timedelta(seconds=1))
    assert opens(token) == 401
    assert "expired" in browser.get("/tokens").content.decode()


def test_nobody_sees_or_revokes_the_tokens_of_others(other_browser: Client, owner: User) -> None:
    token = issue(owner, "secret project")
    assert "secret project" not in other_browser.get("/tokens").content.decode()
    assert other_browser.post(f"/tokens/{ApiToken.objects.get().pk}/revoke").status_code == 404
    assert opens(token) == 200


def test_revoking_takes_a_post(browser: Client, owner: User) -> None:
    issue(owner)
    assert browser.get(f"/tokens/{ApiToken.objects.get().pk}/revoke").status_code == 405


def test_there_is_an_end_to_tokens(browser: Client, owner: User) -> None:
    ApiToken.objects.bulk_create(ApiToken(user=owner, digest=str(n), prefix="rf_x") for n in range(50))
    response = browser.post("/tokens", {"name": "one more", "lifetime": "90"})
    assert response.status_code == 422
    assert "revoke one first" in response.content.decode()
    assert ApiToken.objects.count() == 50


def test_tokens_are_for_people_who_are_logged_in(client: Client, db: None) -> None:
    assert client.get("/tokens")["Location"] == "/login?next=/tokens"


def test_the_name_of_a_token_stays_text(browser: Client) -> None:
    assert "<script>x" not in Page(browser.post("/tokens", {"name": "<script>x", "lifetime": ""})).text


def reset_link(address: str = "owner@example.com") -> str:
    """Ask for a new password; the link that came by mail, without the site."""
    assert Client().post("/password", {"email": address}, headers={"Host": "evil.example"}).status_code == 302
    (sent,) = mail.outbox
    found = re.search(r"http\S+", str(sent.body))
    assert found is not None
    return found[0]


def test_a_new_password_comes_by_mail_and_logs_in(client: Client, owner: User, settings: Any) -> None:
    settings.SITE_URL = "https://rows.example"
    link = reset_link()
    assert link.startswith("https://rows.example/password/")
    assert link in str(mail.outbox[0].alternatives[0][0])  # type: ignore[attr-defined]
    form = client.get(link.removeprefix("https://rows.example"), follow=True)
    assert Page(form).all("input", name="new_password1")
    address = form.redirect_chain[-1][0]
    client.post(address, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}, follow=True)
    response = client.post("/login", {"username": "owner", "password": NEW_PASSWORD})
    assert response["Location"] == "/"


def test_a_link_works_once(client: Client, owner: User, settings: Any) -> None:
    link = reset_link().removeprefix(settings.SITE_URL)
    address = client.get(link)["Location"]
    client.post(address, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
    assert "was used already" in Client().get(link, follow=True).content.decode()


def test_asking_tells_nobody_which_addresses_have_accounts(owner: User) -> None:
    known, unknown = (
        Client().post("/password", {"email": address}, follow=True)
        for address in ("owner@example.com", "nobody@example.com")
    )
    assert known.content == unknown.content
    assert [message.to for message in mail.outbox] == [["owner@example.com"]]


def test_the_pages_of_the_password_keep_the_policy(client: Client, db: None) -> None:
    for address in ("/password", "/password/asked", "/password/x/y", "/password/chosen"):
        response = client.get(address)
        assert response.status_code == 200
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_the_login_leads_to_a_new_password(client: Client, db: None) -> None:
    assert Page(client.get("/login")).all("a", href="/password")


def test_nobody_can_have_somebody_flooded_with_mails(owner: User, stranger: User, settings: Any) -> None:
    settings.ROWFERRY_PASSWORD_MAILS_PER_HOUR = 2
    answers = [Client().post("/password", {"email": "owner@example.com"}, follow=True) for _ in range(4)]
    assert len(mail.outbox) == 2
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    Client().post("/password", {"email": stranger.email})
    assert mail.outbox[-1].to == [stranger.email]


def test_after_an_hour_there_is_another_mail(owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROWFERRY_PASSWORD_MAILS_PER_HOUR = 1
    start = time.time()
    for seconds, sent in ((0, 1), (3590, 1), (3610, 2)):
        monkeypatch.setattr("rowferry.exports.limits.quota.time.time", lambda later=seconds: start + later)
        Client().post("/password", {"email": "owner@example.com"})
        assert len(mail.outbox) == sent
