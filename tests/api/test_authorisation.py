"""Who may do what: tokens, sessions, permissions, and other people's exports."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from rowferry.api.models import ApiToken, issue
from rowferry.assets.models import Asset
from rowferry.exports.execution.queued import run_next
from tests.api.conftest import ApiClient, content, problem

EVERYWHERE = [
    ("post", "/assets/export"),
    ("get", "/exports"),
    ("get", "/exports/{id}"),
    ("delete", "/exports/{id}"),
    ("get", "/exports/{id}/download"),
    ("head", "/exports/{id}/download"),
    ("get", "/exports/{id}/logs"),
    ("get", "/exports/{id}/manifest"),
    ("post", "/exports/{id}/retry"),
    ("post", "/exports/{id}/cancel"),
    ("get", "/resources"),
    ("get", "/resources/assets"),
]
OF_ONE_EXPORT = [(method, path) for method, path in EVERYWHERE if "{id}" in path]


@pytest.mark.parametrize("method, path", EVERYWHERE)
def test_nobody_gets_401(nobody: ApiClient, method: str, path: str) -> None:
    answer = getattr(nobody, method)(path.format(id="2b1a3a0e-0000-4000-8000-000000000000"))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    if method != "head":
        assert problem(answer, 401)["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer rf_unknown",
        "Bearer a b c",
        "bearer \xff\xfe\x80",
        "Bearer " + "x" * 100_000,
        "Bearer \x00",
        "\xe9",
        "Basic b3duZXI6b3duZXI=",
        "Digest x",
        "",
    ],
)
def test_a_header_that_is_no_token_of_ours_gets_401(db: None, header: str) -> None:
    answer = Client().get("/api/v1/exports", HTTP_AUTHORIZATION=header)
    problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_scheme_is_known_in_any_case(owner: User) -> None:
    assert Client().get("/api/v1/exports", HTTP_AUTHORIZATION=f"bearer   {issue(owner)} ").status_code == 200


def test_only_the_digest_of_a_token_is_kept(owner: User) -> None:
    token = issue(owner, "nightly")
    kept = ApiToken.objects.get()
    assert token.startswith("rf_")
    assert kept.digest == hashlib.sha256(token.encode()).hexdigest()
    assert (kept.name, kept.prefix, len(kept.prefix)) == ("nightly", token[:10], 10)


def test_a_token_expires(owner: User) -> None:
    token = issue(owner, expires_at=timezone.now() + timedelta(minutes=1))
    ask = Client(headers={"authorization": f"Bearer {token}"})
    assert ask.get("/api/v1/exports").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    problem(ask.get("/api/v1/exports"), 401)


def test_a_deleted_token_and_an_inactive_owner_get_401(
    api: ApiClient, other: ApiClient, owner: User, stranger: User
) -> None:
    ApiToken.objects.filter(user=stranger).delete()
    problem(other.get("/exports"), 401)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    problem(api.get("/exports"), 401)


def test_the_use_of_a_token_is_noted_once_a_minute(api: ApiClient) -> None:
    def last_use() -> Any:
        return ApiToken.objects.get().last_used_at

    api.get("/exports")
    first = last_use()
    api.get("/exports")
    assert last_use() == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=1))
    api.get("/exports")
    assert last_use() > first


def test_the_session_of_the_page_will_do(owner: User) -> None:
    page = Client()
    page.force_login(owner)
    assert page.get("/api/v1/exports").status_code == 200


def test_a_session_changes_nothing_without_its_csrf_token(owner: User, assets: list[Asset]) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(owner)
    order = {"data": {"format": "csv"}, "content_type": "application/json"}
    problem(page.post("/api/v1/assets/export", **order), 403)
    page.cookies["csrftoken"] = "a" * 32
    assert page.post("/api/v1/assets/export", headers={"x-csrftoken": "a" * 32}, **order).status_code == 200


def test_a_bearer_needs_no_csrf_token(owner: User, assets: list[Asset]) -> None:
    ask = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {issue(owner)}"})
    assert ask.post("/api/v1/assets/export", {"format": "csv"}, content_type="application/json").status_code == 200


def test_without_the_permission_it_is_403(api: ApiClient, owner: User) -> None:
    owner.user_permissions.remove(Permission.objects.get(codename="export_asset"))
    for answer in (
        api.create_export(),
        api.create_export(columns=["nonsense"]),
        api.create_export(dry_run=True),
        api.get("/resources/assets"),
    ):
        assert "assets.export_asset" in problem(answer, 403)["detail"]
    assert api.create_export("tickets").status_code == 200


def test_a_permission_lost_since_holds_at_download_and_in_the_worker(api: ApiClient, owner: User) -> None:
    made, waiting = api.run_export(), api.queue_export()
    owner.user_permissions.clear()
    problem(api.get(f"/exports/{made.pk}/download"), 403)
    run_next()
    found = api.get(f"/exports/{waiting.pk}").json()
    assert (found["status"], found["error"]["status"]) == ("failed", 403)
    problem(api.post(f"/exports/{waiting.pk}/retry"), 403)


@pytest.mark.parametrize("method, path", OF_ONE_EXPORT)
def test_somebody_elses_export_is_like_one_that_never_was(
    api: ApiClient, other: ApiClient, assets: list[Asset], method: str, path: str
) -> None:
    export = api.run_export()
    theirs = getattr(other, method)(path.format(id=export.pk))
    never = getattr(other, method)(path.format(id="2b1a3a0e-0000-4000-8000-000000000000"))
    assert theirs.status_code == never.status_code == 404
    assert content(theirs) == content(never)
    assert api.get(f"/exports/{export.pk}").json()["status"] == "completed"


def test_the_history_is_ones_own(api: ApiClient, other: ApiClient) -> None:
    api.queue_export()
    assert other.get("/exports").json()["pagination"]["total"] == 0


def run_token_command(*arguments: str) -> str:
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_a_token_that_works_and_nothing_else(owner: User) -> None:
    token = run_token_command("owner", "--name", "nightly", "--days", "7")
    assert token == f"{token.strip()}\n"
    assert Client(headers={"authorization": f"Bearer {token.strip()}"}).get("/api/v1/exports").status_code == 200
    kept = ApiToken.objects.get()
    assert kept.name == "nightly"
    assert timedelta(days=6) < kept.expires_at - timezone.now() <= timedelta(days=7)


@pytest.mark.parametrize(
    "arguments",
    [("unheard-of",), ("owner", "--days", "0"), ("owner", "--days", "9999999999"), ("owner", "--name", "x" * 101)],
)
def test_the_command_says_what_is_wrong(owner: User, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run_token_command(*arguments)
    assert not ApiToken.objects.exists()


def test_the_admin_lists_and_revokes_tokens_and_makes_none(admin_client: Client, owner: User) -> None:
    token = issue(owner, "nightly")
    address = "/admin/rowferry_api/apitoken/"
    page = admin_client.get(address).content.decode()
    assert token[:10] in page
    assert "nightly" in page
    assert token not in page
    assert admin_client.get(f"{address}add/").status_code == 403
    kept = ApiToken.objects.get()
    assert admin_client.get(f"{address}{kept.pk}/change/").status_code == 200
    assert admin_client.post(f"{address}{kept.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()
