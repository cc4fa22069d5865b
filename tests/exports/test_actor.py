"""Who acted, and on behalf of whom: in export, events, manifest and files, whichever door was taken."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User

from rowferry.assets.models import Asset
from rowferry.exports import lifecycle, submission, tracking
from rowferry.exports.execution import queued
from rowferry.exports.integrity import signing
from rowferry.exports.models import Export, ExportLog
from rowferry.exports.resources.actor import OPERATOR, Actor, Operator
from tests.factories.assets import AssetFactory
from tests.factories.exports import (
    claim_export,
    create_export_in_state,
    end_lease,
    queue_export,
    reload_export,
    update_export,
)
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db

THE_OPERATOR = {"id": None, "name": "operator", "email": ""}
Names = tuple[str | None, str | None]


def account(user: User) -> dict[str, Any]:
    return {"id": str(user.pk), "name": user.username, "email": user.email}


def names_of(export: Export, event: str) -> Names:
    """Actor and on-behalf-of of the newest event of a kind."""
    line = ExportLog.objects.filter(export=export, event=event).latest("id")
    return ((line.actor or {}).get("name"), (line.on_behalf_of or {}).get("name"))


@pytest.fixture(params=["person", "operator for a person", "operator"])
def door(request: pytest.FixtureRequest, owner: User) -> tuple[Actor, Any, Any]:
    """An actor, and how it and its principal are recorded."""
    doors: dict[str, tuple[Actor, Any, Any]] = {
        "person": (owner, account(owner), None),
        "operator for a person": (Operator(on_behalf_of=owner), THE_OPERATOR, account(owner)),
        "operator": (OPERATOR, THE_OPERATOR, None),
    }
    return doors[request.param]


@pytest.mark.parametrize("mode", ["here", "queued", "answered"])
def test_export_event_and_signed_manifest_say_who_acted(door: tuple[Actor, Any, Any], mode: str) -> None:
    actor, who, principal = door
    AssetFactory()
    if mode == "here":
        job, course = submission.perform("assets", {"format": "csv"}, actor)
        list(course)
        export = job.export
    elif mode == "queued":
        export = submission.enqueue("assets", {"format": "csv"}, actor)
        queued.run_next()
    else:
        answer = submission.submit("assets", {"format": "csv"}, actor)
        assert isinstance(answer, submission.Ready)
        export = answer.export
    export = reload_export(export)
    assert (export.actor, export.on_behalf_of) == (who, principal)
    line = ExportLog.objects.get(export=export, event="initiated")
    assert (line.actor, line.on_behalf_of) == (who, principal)
    for event in ("processing", "completed"):
        assert names_of(export, event) == (None, None)
    manifest = tracking.manifest(actor, export.pk)
    assert (manifest["manifest_version"], manifest["actor"], manifest["on_behalf_of"]) == (2, who, principal)
    assert "requested_by" not in manifest
    (key,) = signing.known_keys()["keys"]
    assert signing.is_signed_by(manifest, key)
    assert not signing.is_signed_by({**manifest, "actor": account(UserFactory())}, key)
    assert not signing.is_signed_by({**manifest, "on_behalf_of": account(UserFactory())}, key)


def test_code_acts_as_the_operator_on_behalf_of_its_user(owner: User) -> None:
    for export in (Asset.exports.to_csv(user=owner), Asset.exports.run(format="csv", queue=True, user=owner)):
        assert isinstance(export, Export)
        assert (export.actor, export.on_behalf_of, export.user) == (THE_OPERATOR, account(owner), owner)
        assert names_of(export, "initiated") == ("operator", "owner")
    export = Asset.exports.to_csv()
    assert isinstance(export, Export)
    assert (export.actor, export.on_behalf_of) == (THE_OPERATOR, None)
    assert names_of(export, "initiated") == ("operator", None)


def test_the_files_say_it_by_name(owner: User) -> None:
    AssetFactory()
    for user, told in ((owner, ("operator", "owner")), (None, ("operator", None))):
        with Asset.exports.open(Asset.exports.to_excel(user=user)) as file:
            about = openpyxl.load_workbook(io.BytesIO(file.read())).worksheets[-1]
        facts = dict(about.iter_rows(values_only=True))
        assert (facts["Requested by"], facts.get("On behalf of")) == told
        with Asset.exports.open(Asset.exports.to_json(user=user)) as file:
            head = json.load(file)
        assert (head["actor"], head["on_behalf_of"]) == told
    answer = submission.submit("assets", {"format": "json"}, owner)
    assert isinstance(answer, submission.Ready)
    head = json.load(answer.file.stream)
    assert (head["actor"], head["on_behalf_of"]) == ("owner", None)


ACTS: dict[str, tuple[str, Callable[[Actor, Export], object]]] = {
    "downloaded": ("completed", lambda actor, export: tracking.note_download(actor, export, "The whole file.")),
    "deleted": ("failed", lambda actor, export: tracking.delete(actor, export.pk)),
    "cancelled": ("pending", lambda actor, export: tracking.cancel(actor, export.pk)),
}


@pytest.mark.parametrize("event", ACTS)
def test_later_acts_say_who_acted(door: tuple[Actor, Any, Any], owner: User, event: str) -> None:
    actor, who, principal = door
    status, act = ACTS[event]
    export = create_export_in_state(owner, status)  # type: ignore[arg-type]
    act(actor, export)
    line = ExportLog.objects.get(export=export, event=event)
    assert (line.actor, line.on_behalf_of) == (who, principal)


@pytest.mark.parametrize("is_abandoned", [False, True])
def test_who_cancelled_a_running_export_is_logged_when_it_ends(
    door: tuple[Actor, Any, Any], owner: User, is_abandoned: bool
) -> None:
    actor, who, principal = door
    export = queue_export(owner)
    claim = claim_export()
    tracking.cancel(actor, export.pk)
    if is_abandoned:
        assert lifecycle.mark_abandoned_cancelled(end_lease(export))
    else:
        assert lifecycle.mark_cancelled(claim, 0)
    line = ExportLog.objects.get(export=export, event="cancelled")
    assert (line.actor, line.on_behalf_of) == (who, principal)


def test_a_retry_is_on_behalf_of_the_owner_whose_rights_hold(owner: User) -> None:
    failed = create_export_in_state(owner, "failed")  # type: ignore[arg-type]
    for actor, told in (
        (OPERATOR, ("operator", "owner")),
        (Operator(on_behalf_of=owner), ("operator", "owner")),
        (owner, ("owner", None)),
    ):
        new = tracking.retry(actor, failed.pk)
        assert names_of(new, "initiated") == told
        assert ((new.actor or {}).get("name"), (new.on_behalf_of or {}).get("name")) == told
    failed = update_export(submission.enqueue("assets", {"format": "csv"}, OPERATOR), status="failed")
    assert names_of(tracking.retry(OPERATOR, failed.pk), "initiated") == ("operator", None)


def test_a_person_with_the_name_of_the_operator_has_an_id() -> None:
    person = UserFactory(username="operator", is_superuser=True)
    export = queue_export(person)
    line = ExportLog.objects.get(export=export)
    assert line.actor == export.actor == account(person)
    assert line.actor != THE_OPERATOR


def test_what_the_program_does_has_no_actor_and_an_older_export_none_that_is_known(owner: User) -> None:
    export = create_export_in_state(owner, "completed")  # type: ignore[arg-type]
    lifecycle.expire(export)
    assert names_of(export, "expired") == (None, None)
    older = update_export(export, actor_kind=None)
    assert (older.actor, older.on_behalf_of) == (None, None)
