"""What the command prints as JSON on this machine is what the API answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from rowferry.exports import lifecycle
from rowferry.exports.errors import StorageFault
from rowferry.exports.execution.queued import run_next
from rowferry.exports.models import Export, Status
from tests.api.conftest import ApiClient
from tests.cli.conftest import Cli
from tests.factories.assets import AssetFactory
from tests.factories.exports import claim_export, create_export_in_state, queue_export, reload_export, update_export

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(owner: User, settings: Any) -> ApiClient:
    """The owner's client of a server that has the address which this installation names."""
    settings.SITE_URL = "http://testserver"
    return ApiClient(owner)


def make_export(owner: User, status: Status) -> Export:
    """An export in a state, with what belongs to that state."""
    if status == Status.COMPLETED:
        AssetFactory.create_batch(2)
        export = queue_export(owner, filters={"search": "a"}, sort_by="name")
        run_next()
        return reload_export(export)
    if status == Status.FAILED:
        export = queue_export(owner)
        update_export(export, max_attempts=1)
        lifecycle.fail(claim_export(), StorageFault("The disk is full."), 3)
        return reload_export(export)
    return create_export_in_state(owner, status)


def printed(cli: Cli, *words: object) -> Any:
    done = cli(*words, "--user", "owner", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("status", Status.values)
def test_show_is_the_answer_of_the_api(cli: Cli, api: ApiClient, owner: User, status: str) -> None:
    export = make_export(owner, Status(status))
    answer = api.get(f"/exports/{export.pk}").json()
    assert answer["status"] == status
    assert printed(cli, "exports", "show", export.pk) == answer


@pytest.mark.parametrize("status", Status.values)
def test_logs_are_the_answer_of_the_api(cli: Cli, api: ApiClient, owner: User, status: str) -> None:
    export = make_export(owner, Status(status))
    answer = api.get(f"/exports/{export.pk}/logs?limit=500").json()
    assert len(answer["data"]) >= 1
    assert printed(cli, "exports", "logs", export.pk) == answer


def test_a_list_is_the_answer_of_the_api(cli: Cli, api: ApiClient, owner: User) -> None:
    for status in (Status.PENDING, Status.COMPLETED, Status.DELETED):
        make_export(owner, status)
    answer = api.get("/exports?limit=2").json()
    assert len(answer["data"]) == 2
    assert printed(cli, "exports", "list", "--limit", "2") == answer


def test_resources_are_the_answer_of_the_api(cli: Cli, api: ApiClient) -> None:
    assert printed(cli, "resources") == api.get("/resources").json()["data"]
    assert printed(cli, "resources", "assets") == api.get("/resources/assets").json()


def test_a_dry_run_is_the_answer_of_the_api(cli: Cli, api: ApiClient) -> None:
    AssetFactory()
    answer = api.create_export(format="csv", columns=["id", "name"], dry_run=True).json()
    assert answer["preview_count"] == 1
    assert printed(cli, "export", "assets", "-f", "csv", "--columns", "id,name", "--dry-run") == answer


def test_file_that_has_expired_has_no_address(cli: Cli, api: ApiClient, owner: User) -> None:
    export = make_export(owner, Status.COMPLETED)
    assert printed(cli, "exports", "show", export.pk)["download_url"].startswith("http://testserver/api/v1/")
    update_export(export, expires_at=timezone.now() - timedelta(seconds=1))
    assert printed(cli, "exports", "show", export.pk)["download_url"] is None
