"""Events written before there was `on_behalf_of` keep their hashes; those after have it in theirs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction

from rowferry.exports import lifecycle
from rowferry.exports.audit import hash_chain, log
from rowferry.exports.databases import append_only
from rowferry.exports.models import Event, Export, ExportLog
from rowferry.exports.resources.actor import Operator
from tests.factories.exports import queue_export
from tests.support.tampering import change, create_log_chain, find_tampering, unlock_events

pytestmark = pytest.mark.django_db(transaction=True)

OLD_FIELDS = [
    "export_id",
    "sequence",
    "event",
    "message",
    "processed_items",
    "total_items",
    "current_batch",
    "total_batches",
    "duration_ms",
    "error_message",
    "actor_id",
    "actor_name",
    "actor_email",
    "created_at",
    "previous_hash",
]
"""What was hashed then. Never to be changed."""
NEW_FIELDS = ["on_behalf_of_id", "on_behalf_of_name", "on_behalf_of_email"]


def old_hash(row: dict[str, Any]) -> str:
    """The hash as it was made then, with nothing of today's code."""
    values = {name: row[name] for name in OLD_FIELDS}
    values["export_id"] = str(values["export_id"])
    values["created_at"] = values["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    data = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hashlib.sha256(data).hexdigest()


def write_as_before(export: Export) -> None:
    """The chain as the version before would have written it."""
    previous = ""
    with append_only.triggers_disabled(connection), transaction.atomic():
        for row in ExportLog.objects.filter(export=export).order_by("sequence").values("pk", *OLD_FIELDS):
            digest = old_hash({**row, "previous_hash": previous})
            ExportLog.objects.filter(pk=row["pk"]).update(
                previous_hash=previous, hash=digest, **dict.fromkeys(NEW_FIELDS)
            )
            previous = digest
        Export.objects.filter(pk=export.pk).update(log_hash=previous, actor_kind=None)


def append_for(export: Export, owner: User) -> ExportLog:
    lifecycle.record_download(export, Operator(on_behalf_of=owner), "By the operator.")
    return ExportLog.objects.get(export=export, event=Event.DOWNLOADED)


def test_an_old_chain_verifies_and_goes_on_with_new_events(owner: User) -> None:
    export = create_log_chain(owner, 4)
    write_as_before(export)
    assert log.verify().findings == []
    new = append_for(export, owner)
    verdict = log.verify()
    assert (verdict.events, verdict.findings) == (5, [])
    assert new.on_behalf_of == {"id": str(owner.pk), "name": "owner", "email": "owner@example.com"}


def test_an_event_without_the_new_fields_has_the_hash_that_it_would_have_had(owner: User) -> None:
    export = create_log_chain(owner, 3)
    for row in ExportLog.objects.filter(export=export).values("hash", *OLD_FIELDS):
        assert row["hash"] == old_hash(row)


@pytest.mark.parametrize("name", NEW_FIELDS)
@pytest.mark.parametrize("value", ["somebody else", "", None])
def test_a_change_of_a_new_field_is_found(owner: User, name: str, value: str | None) -> None:
    export = create_log_chain(owner, 2)
    number = append_for(export, owner).sequence
    with unlock_events(export) as lines:
        change(lines[number], **{name: value})
        assert find_tampering() == {(str(export.pk), "changed", number)}


@pytest.mark.parametrize("name", NEW_FIELDS)
@pytest.mark.parametrize("value", ["somebody", ""])
def test_a_new_field_that_was_put_into_an_old_event_is_found(owner: User, name: str, value: str) -> None:
    export = create_log_chain(owner, 4)
    write_as_before(export)
    with unlock_events(export) as lines:
        change(lines[2], **{name: value})
        assert find_tampering() == {(str(export.pk), "changed", 2)}


def test_a_log_given_out_holds_old_and_new_events_and_is_checked_by_itself(owner: User) -> None:
    export = create_log_chain(owner, 4)
    write_as_before(export)
    append_for(export, owner)
    given = list(log.lines())
    records = [json.loads(line) for line in given]
    assert [set(NEW_FIELDS) & set(record) for record in records[1:5]] == [set()] * 4
    assert records[5]["on_behalf_of_name"] == "owner"
    assert log.verify_lines(given).findings == []
    for forged in ({"on_behalf_of_name": "stranger"}, {"on_behalf_of_id": None}):
        changed = [*given[:5], json.dumps({**records[5], **forged}).encode(), *given[6:]]
        assert [one.what for one in log.verify_lines(changed).findings] == ["changed"]


@pytest.mark.parametrize("column", NEW_FIELDS)
def test_the_database_refuses_to_change_a_new_column(owner: User, column: str) -> None:
    queue_export(owner)
    with (
        pytest.raises(Exception, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE rowferry_exportlog SET {column} = 'x'")
    assert not ExportLog.objects.exclude(on_behalf_of_name=None).exists()


def test_every_column_of_an_event_is_hashed() -> None:
    columns = {field.attname for field in ExportLog._meta.concrete_fields}
    assert columns - {"id", "hash"} == set(hash_chain.COLUMNS)


def test_the_migration_leaves_old_events_their_hashes_and_the_log_its_triggers(owner: User) -> None:
    export = create_log_chain(owner, 4)
    write_as_before(export)
    try:
        call_command("migrate", "rowferry", "0001", verbosity=0)
        assert append_only.missing_triggers(connection) == []
    finally:
        call_command("migrate", "rowferry", verbosity=0)
    assert log.verify().findings == []
    append_for(export, owner)
    assert log.verify().findings == []
