"""What holds on every page: who gets in, what a browser may do, what becomes of hostile text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import PASSWORD, UserFactory
from tests.web.conftest import Page

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NOBODYS = "00000000-0000-4000-8000-000000000000"
"""The id of an export that never was; fixed, because parallel test processes must agree on what there is to test."""
HOSTILE = """<script>alert("1")</script><b title='x'>"""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/new/assets",
        "/progress",
        *(f"/exports/{NOBODYS}{part}" for part in ("", "/download", "/edit", "/manifest")),
    ],
)
def test_who_is_not_logged_in_is_sent_to_the_login_and_comes_back(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"] == f"/login?next={address}"


def test_the_login_leads_where_one_wanted_to_go(client: Client, owner: User) -> None:
    response = client.post(
        "/login?next=/new/assets", {"username": "owner", "password": PASSWORD, "next": "/new/assets"}
    )
    assert response["Location"] == "/new/assets"


def test_a_wrong_password_says_so_and_lets_nobody_in(client: Client, owner: User) -> None:
    response = client.post("/login", {"username": "owner", "password": "guess"})
    assert "Please enter a correct username and password" in response.content.decode()
    assert client.get("/").status_code == 302


def test_the_login_leads_to_no_other_site(client: Client, owner: User) -> None:
    response = client.post("/login", {"username": "owner", "password": PASSWORD, "next": "https://evil.example/"})
    assert response["Location"] == "/"


def test_logging_out_takes_a_post(browser: Client) -> None:
    assert browser.get("/logout").status_code == 405
    assert browser.get("/").status_code == 200
    browser.post("/logout")
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("address", ["/", "/new/assets", "/new/nothing", f"/exports/{NOBODYS}"])
def test_every_page_forbids_what_it_does_not_need(browser: Client, address: str) -> None:
    response = browser.get(address)
    assert response["Content-Security-Policy"] == POLICY
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_the_login_page_has_the_policy_too(client: Client) -> None:
    assert client.get("/login")["Content-Security-Policy"] == POLICY


def test_the_policy_is_of_these_pages_only(admin_client: Client) -> None:
    assert "Content-Security-Policy" not in admin_client.get("/admin/")


def pages(browser: Client) -> list[Page]:
    AssetFactory(name=HOSTILE)
    browser.post("/new/assets", {"format": "csv", "columns": ["name"], "async": "on"})
    address = Page(browser.get("/")).all("a", **{"class": "button"})[-1]["href"].partition("#")[0]
    preview = browser.post("/new/assets", {"format": "csv", "columns": ["name"], "preview": "1"})
    asked = [browser.get(a) for a in ("/", "/new/assets", address)]
    return [Page(response) for response in [*asked, preview, Client().get("/login")]]


def test_no_page_has_a_script_a_style_or_a_handler_of_its_own(browser: Client) -> None:
    for page in pages(browser):
        assert not page.all("style")
        assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))
        for _, attributes in page.elements:
            assert not {name for name in attributes if name == "style" or name.startswith("on")}
            assert not attributes.get("href", "").startswith("javascript:")


def test_every_input_has_a_label(browser: Client) -> None:
    for page in pages(browser):
        labelled = {label.get("for") for label in page.all("label")}
        fields = [a for tag in ("input", "select") for a in page.all(tag) if a.get("type") != "hidden"]
        assert {field.get("id") for field in fields} <= labelled


def test_names_that_are_html_stay_text(browser: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(username=HOSTILE)
    UserFactory(username=f"{HOSTILE}2")
    LocationFactory(name=HOSTILE)
    found = pages(browser)
    assert not [page for page in found if HOSTILE in page.text]
    assert ["&lt;script&gt;alert(" in page.text for page in found] == [True, True, True, True, False]
    assert "<td>&lt;script&gt;alert(" in found[3].text


@pytest.mark.parametrize("action", ["retry", "cancel", "delete"])
def test_buttons_without_the_token_of_the_page_do_nothing(owner: User, action: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(f"/exports/{uuid4()}/{action}").status_code == 403


def test_the_form_takes_the_token_that_it_was_given(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    form = strict.get("/new/assets").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token is not None
    body: dict[str, Any] = {"format": "csv", "columns": ["id"]}
    assert strict.post("/new/assets", body).status_code == 403
    assert strict.post("/new/assets", body | {"csrfmiddlewaretoken": token[1]}).status_code == 200


BEHIND_TLS = """
import django
django.setup()
from django.conf import settings
from django.test import Client
answer = Client(enforce_csrf_checks=True).get("/login", headers={"Host": "exports.example.com"})
(cookie,) = answer.cookies.values()
print(answer.status_code, cookie["secure"], settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY)
"""


@pytest.mark.parametrize(("site", "said"), [("https", "200 True True True"), ("http", "200  False True")])
def test_cookies_behind_tls_travel_by_tls_only(tmp_path: Path, site: str, said: str) -> None:
    told = {"SITE_URL": f"{site}://exports.example.com", "ROWFERRY_DATA_DIR": str(tmp_path)}
    environment = {**os.environ, **told, "DJANGO_SETTINGS_MODULE": "rowferry.config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", BEHIND_TLS], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip("\n") == said
