"""What a project sets on its connections holds on the readers' connections too, and in the worker that comes later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from rowferry.assets.models import Asset
from rowferry.assets.resources.assets import AssetResource
from rowferry.exports import browsing, checks, submission, tracking
from rowferry.exports.databases import connection_pool, open_reader
from rowferry.exports.databases.reader import Reader
from rowferry.exports.errors import KeyReused, SourceFault
from rowferry.exports.execution.queued import run_next
from rowferry.exports.models import Export
from tests.factories.assets import AssetFactory

pytestmark = pytest.mark.django_db(transaction=True)

TENANT = {
    "sqlite": "tenant()",
    "postgresql": "current_setting('shop.tenant', true)",
    "mysql": "CONVERT(@tenant USING utf8mb4)",
}[connection.vendor]
"""The tenant of a connection, in SQL."""

ambient = {"tenant": ""}
"""What a middleware of the project would hold."""


def context(person: User | None) -> Any:
    return {"tenant": ambient["tenant"]}


def prepare(wrapper: BaseDatabaseWrapper, context: Any) -> None:
    tenant = context["tenant"]
    if wrapper.vendor == "sqlite":
        wrapper.connection.create_function("tenant", 0, lambda: tenant)
        return
    statement = "SET @tenant = %s" if wrapper.vendor == "mysql" else "SELECT set_config('shop.tenant', %s, true)"
    with wrapper.cursor() as cursor:
        cursor.execute(statement, [tenant])


def prepare_badly(wrapper: BaseDatabaseWrapper, context: Any) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute("no such statement")


def raise_error(*_: Any) -> Any:
    raise ZeroDivisionError


def no_json(person: User | None) -> Any:
    return {person}


@contextmanager
def signed_in_at(tenant: str) -> Iterator[None]:
    """A request for this tenant: its own connection and its context."""
    ambient["tenant"] = tenant
    connection.ensure_connection()
    prepare_session(tenant)
    try:
        yield
    finally:
        ambient["tenant"] = "nobody"
        prepare_session("nobody")


def prepare_session(tenant: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('shop.tenant', %s, false)", [tenant])
    else:
        prepare(connection, {"tenant": tenant})


@pytest.fixture(autouse=True)
def tenants(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Assets by the name of their tenant; a resource that shows those of the connection's tenant."""
    settings.ROWFERRY_CONNECTION_CONTEXT = f"{__name__}.context"
    settings.ROWFERRY_PREPARE_CONNECTION = f"{__name__}.prepare"
    monkeypatch.setattr(
        AssetResource,
        "rows_for",
        lambda _, person: Asset.objects.filter(name=RawSQL(TENANT, (), output_field=TextField())),
    )
    for name in ("north", "north", "south"):
        AssetFactory(name=name)
    yield
    connection.close()  # its tenant goes with it
    connection_pool.close_all()


BODY = {"format": "json", "columns": ["name"]}


def names(data: bytes) -> list[str]:
    return [row["name"] for row in json.loads(data)["data"]]


def test_a_file_that_is_made_at_once(owner: User) -> None:
    with signed_in_at("north"):
        answer = submission.submit("assets", BODY, owner)
    assert isinstance(answer, submission.Ready)
    with answer.file.stream as stream:
        assert names(stream.read()) == ["north", "north"]


def test_a_file_that_is_streamed(owner: User, settings: Any) -> None:
    settings.ROWFERRY_IMMEDIATE_BELOW = 0
    with signed_in_at("south"):
        answer = submission.submit("assets", BODY, owner)
        assert isinstance(answer, submission.Streamed)
        assert names(b"".join(answer.chunks)) == ["south"]


def test_a_file_that_a_worker_makes_later_and_again(owner: User) -> None:
    with signed_in_at("north"):
        answer = submission.submit("assets", BODY | {"async": True}, owner)
    assert isinstance(answer, submission.Queued)
    run_next()
    export = Export.objects.get(pk=answer.export.pk)
    assert (export.status, export.exported_items, export.connection_context) == ("completed", 2, {"tenant": "north"})
    Export.objects.filter(pk=export.pk).update(status="failed")
    with signed_in_at("south"):
        again = tracking.retry(owner, export.pk)
    run_next()
    again.refresh_from_db()
    assert (again.status, again.exported_items) == ("completed", 2)


def test_a_file_from_python() -> None:
    with signed_in_at("north"):
        assert Asset.exports.to_json(columns=["name"]).exported_items == 2
        queued = submission.enqueue("assets", BODY, None)
    assert queued.total_items == 2
    assert queued.connection_context == {"tenant": "north"}


def test_a_dry_run_and_a_list(owner: User) -> None:
    with signed_in_at("south"):
        assert submission.dry_run("assets", BODY, owner).rows == [{"name": "south"}]
        assert [row.cells[0] for row in browsing.page("assets", {"columns": ["name"]}, owner).rows] == ["south"]


def test_the_same_key_for_another_tenant_is_another_request(owner: User) -> None:
    with signed_in_at("north"):
        submission.submit("assets", BODY, owner, key="k")
    with signed_in_at("south"), pytest.raises(KeyReused):
        submission.submit("assets", BODY, owner, key="k")


def tenant_of(reader: Reader) -> str:
    with reader.wrapper.cursor() as cursor:
        cursor.execute(f"SELECT {TENANT}")
        return str(cursor.fetchone()[0])


def test_it_holds_after_a_count_that_took_too_long() -> None:
    with open_reader("default", {"tenant": "north"}) as reader:
        with pytest.raises(DatabaseError), reader.statement_timeout(timedelta(seconds=1)):
            prepare_badly(reader.wrapper, None)
        assert tenant_of(reader) == "north"


def test_no_reader_has_the_tenant_of_another() -> None:
    for tenant in ("north", "south"):
        with open_reader("default", {"tenant": tenant}) as reader:
            assert tenant_of(reader) == tenant
    assert connection_pool.take("default") is None


@pytest.mark.parametrize(("function", "error"), [("prepare_badly", SourceFault), ("raise_error", ZeroDivisionError)])
def test_a_function_that_fails_leaves_no_connection_open(
    settings: Any, monkeypatch: pytest.MonkeyPatch, function: str, error: type[Exception]
) -> None:
    closed: list[BaseDatabaseWrapper] = []
    close = connection_pool.close
    monkeypatch.setattr(connection_pool, "close", lambda wrapper: [closed.append(wrapper), close(wrapper)])
    settings.ROWFERRY_PREPARE_CONNECTION = f"{__name__}.{function}"
    with pytest.raises(error):
        open_reader("default", {"tenant": "north"})
    (wrapper,) = closed
    assert wrapper.connection is None


def test_a_context_that_is_no_json_is_refused(settings: Any, owner: User) -> None:
    settings.ROWFERRY_CONNECTION_CONTEXT = f"{__name__}.no_json"
    with pytest.raises(SourceFault, match=r"no_json \(ROWFERRY_CONNECTION_CONTEXT\) gave no JSON value"):
        submission.submit("assets", BODY, owner)
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("context_path", "prepare_path", "problem"),
    [
        ("", "nowhere.prepare", "ROWFERRY_PREPARE_CONNECTION names no function"),
        (f"{__name__}.ambient", f"{__name__}.prepare", "ROWFERRY_CONNECTION_CONTEXT names no function"),
        (f"{__name__}.context", "", "no ROWFERRY_PREPARE_CONNECTION that would use it"),
    ],
)
def test_a_check_finds_settings_that_would_do_nothing(
    settings: Any, context_path: str, prepare_path: str, problem: str
) -> None:
    assert checks.check_connection_functions() == []
    settings.ROWFERRY_CONNECTION_CONTEXT, settings.ROWFERRY_PREPARE_CONNECTION = context_path, prepare_path
    (error,) = checks.check_connection_functions()
    assert error.id == "exports.E004"
    assert problem in error.msg


def test_a_check_refuses_a_database_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_databases() == []
    monkeypatch.setattr(connection, "vendor", "oracle")
    assert {error.id for error in checks.check_databases()} == {"exports.E005"}
    assert "assets lies in a database of the kind 'oracle'" in checks.check_databases()[0].msg
