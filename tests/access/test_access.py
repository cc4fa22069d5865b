"""Roles × addresses × methods, from the URL configuration itself, against the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median
from time import process_time_ns
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver

from rowferry.api.models import ApiToken, issue
from rowferry.assets.models import Asset
from rowferry.exports.models import ExportLog
from rowferry.runtime.health_views import PROBES
from tests.access.people import client_of, export_of, exporter
from tests.access.table import ADMIN_FOR_STAFF, ADMIN_OPEN, EVERYWHERE_ELSE, LINES, ROLES, Line
from tests.api.conftest import content
from tests.factories.exports import reload_export

pytestmark = pytest.mark.django_db

NEVER = UUID("2b1a3a0e-0000-4000-8000-000000000000")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
STRANGERS = ("powerless", "other", "staff", "superuser")
THE_OWNER = ("owner", "lost", "revoked", "expired", "inactive")


def routes(resolver: Any = None, before: str = "") -> Iterator[str]:
    """Every address of the URL configuration, as it is written there."""
    for part in (resolver or get_resolver()).url_patterns:
        here = before + str(part.pattern)
        if isinstance(part, URLPattern):
            yield here
        else:
            yield from routes(part, here)


ADMIN = sorted({route for route in routes() if route.startswith("admin/")})


def address(route: str, export_id: UUID | None = None, token_id: int = 0) -> str:
    named = {"export_id": str(export_id), "resource": "assets", "name": "assets", "key": "status_id"}
    named |= {"token_id": str(token_id), "uidb64": "MQ", "token": "no-such-link"}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: named[found[1]], route)


def address_for(owner: User, line: Line) -> str:
    """With an export in the state of the line, and a token, if the address is about one."""
    export_id = export_of(owner, line.state).pk if line.about_an_export else None
    issue(owner, "one more")
    return address(line.route, export_id, ApiToken.objects.filter(user=owner).latest("pk").pk)


def send_request(client: Any, method: str, path: str) -> Any:
    """The answer. What is ordered is a small file."""
    if method == "POST":
        body = {"data": '{"format": "csv"}', "content_type": "application/json"}
        return (
            client.post(path, **body)
            if path.startswith("/api/")
            else client.post(path, {"format": "excel", "columns": "id"})
        )
    return client.generic(method, path)


def test_every_address_has_its_line_and_every_line_its_address() -> None:
    there = {route for route in routes() if not route.startswith("admin/")} | {path[1:] for path in PROBES}
    assert {line.route for line in LINES} == there


@pytest.mark.parametrize("line", LINES, ids=str)
def test_everybody_is_answered_as_the_table_says(assets: list[Asset], line: Line) -> None:
    answers = {}
    owner, path = None, ""
    for role in ROLES:
        if owner is None or role in THE_OWNER:  # whoever is not, changes nothing: the next test says so
            owner = exporter()
            path = address_for(owner, line)
        answer = send_request(client_of(role, owner, api=line.api), line.method, path)
        content(answer)
        answers[role] = answer.status_code
    assert answers == dict(zip(ROLES, line.expected, strict=True))


@pytest.mark.parametrize("route", sorted({line.route for line in LINES} - {EVERYWHERE_ELSE}))
def test_no_other_method_is_taken(assets: list[Asset], route: str) -> None:
    lines = [line for line in LINES if line.route == route]
    taken = {line.method for line in lines} | ({"HEAD"} if any(line.method == "GET" for line in lines) else set())
    owner = exporter()
    path = address(route, export_of(owner, "completed").pk)
    mine, nobodys = (client_of(role, owner, api=lines[0].api) for role in ("owner", "anonymous"))
    for method in set(METHODS) - taken:
        assert send_request(mine, method, path).status_code == 405, method
        assert send_request(nobodys, method, path).status_code in (401, 405), method


def comparable_answer(answer: Any) -> tuple[Any, ...]:
    """All that a client sees of an answer but what is random in each: its own id, the page's CSRF token."""
    body = re.sub(rb'csrfmiddlewaretoken" value="\w+"', b"", content(answer))
    headers = {name: value for name, value in answer.items() if name not in ("Date", "Expires", "X-Request-Id")}
    return answer.status_code, headers, sorted(answer.cookies), body


@pytest.mark.parametrize("line", [line for line in LINES if line.about_an_export], ids=str)
def test_what_is_somebody_elses_looks_like_what_never_was(assets: list[Asset], line: Line) -> None:
    owner = exporter()
    export = export_of(owner, line.state)
    for role in STRANGERS:
        client = client_of(role, owner, api=line.api)
        foreign, missing = (
            comparable_answer(send_request(client, line.method, address(line.route, one))) for one in (export.pk, NEVER)
        )
        assert foreign == missing
        assert missing[0] == 404
    mine = comparable_answer(
        send_request(client_of("owner", owner, api=line.api), line.method, address(line.route, NEVER))
    )
    assert mine[0] == 404
    assert reload_export(export).status == export.status
    assert ExportLog.objects.filter(export=export, actor_id=owner.pk).count() == 1


def test_neither_queries_nor_time_tell_what_is_somebody_elses(assets: list[Asset]) -> None:
    """Processor time, and a bound that only a different way through the program would miss."""
    owner = exporter()
    line = next(line for line in LINES if line.route == "api/v1/exports/<str:export_id>")
    paths = {name: address(line.route, key) for name, key in (("own", export_of(owner, "completed").pk), ("no", NEVER))}
    client = client_of("other", owner, api=True)
    send_request(client, "GET", paths["no"])
    queries, times = dict[str, int](), {name: list[int]() for name in paths}
    for _ in range(40):
        for name, path in paths.items():
            with CaptureQueriesContext(connection) as captured:
                begun = process_time_ns()
                send_request(client, "GET", path)
                times[name].append(process_time_ns() - begun)
            queries[name] = len(captured)
    assert queries["own"] == queries["no"]
    assert 0.5 < median(times["own"]) / median(times["no"]) < 2


@pytest.mark.parametrize("line", [line for line in LINES if line.method == "POST" and not line.api], ids=str)
def test_the_page_changes_nothing_without_its_csrf_token(assets: list[Asset], line: Line) -> None:
    owner = exporter()
    export = export_of(owner, "waiting")
    client = client_of("owner", owner, api=False, strict=True)
    assert send_request(client, "POST", address(line.route, export.pk)).status_code == 403
    assert reload_export(export).status == "pending"


def test_the_admin_is_for_staff_who_have_the_permission(db: None) -> None:
    owner = exporter()
    clients = {role: client_of(role, owner, api=False) for role in ("anonymous", "owner", "staff", "superuser")}
    for route in ADMIN:
        found = {role: client.get(admin_address(route)).status_code for role, client in clients.items()}
        assert found["superuser"] < 500
        if route not in ADMIN_OPEN:
            assert (found["anonymous"], found["owner"]) == (302, 302), route
        if route not in ADMIN_FOR_STAFF:
            assert found["staff"] in (302, 403, 404), route


def test_even_a_superuser_may_only_look_at_exports_and_their_log(assets: list[Asset]) -> None:
    owner = exporter()
    export = export_of(owner, "completed")
    told = ExportLog.objects.count()
    client = client_of("superuser", owner, api=False)
    keys = {"admin/rowferry/export/": export.pk, "admin/rowferry/exportlog/": ExportLog.objects.earliest("pk").pk}
    for address_of, key in keys.items():
        assert client.get(f"/{address_of}").status_code == 200
        assert client.get(f"/{address_of}{key}/change/").status_code == 200
        for path in ("add/", f"{key}/change/", f"{key}/delete/"):
            assert client.post(f"/{address_of}{path}", {"post": "yes"}).status_code == 403, path
        client.post(f"/{address_of}", {"action": "delete_selected", "_selected_action": str(key), "post": "yes"})
    assert reload_export(export).status == "completed"
    assert ExportLog.objects.count() == told


def admin_address(route: str) -> str:
    """With what the regular expressions of the admin take."""
    plain = route.replace("^(?P<app_label>auth|rowferry|assets|tickets|rowferry_api)/$", "assets/")
    return "/" + re.sub(r"<(?:\w+:)?\w+>", "1", plain.replace("(?P<url>.*)$", "nothing"))
