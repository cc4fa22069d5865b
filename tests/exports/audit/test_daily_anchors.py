"""The daily anchor tells what a chain by itself cannot: that it, or its end, is gone or was made anew."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from rowferry.exports.audit import daily_anchors, log
from rowferry.exports.databases import append_only
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.models import AuditAnchor, Export, ExportLog
from rowferry.exports.scheduling import scheduler
from tests.exports.audit.test_log import days_ago
from tests.support.tampering import change, create_log_chain, rehash, remove, unlock_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(owner: User) -> Export:
    """An export of ten days ago, beside one of five days ago and one of today; all is anchored."""
    export = create_log_chain(owner, 6)
    days_ago(export, 10)
    days_ago(create_log_chain(owner, 4), 5)
    create_log_chain(owner, 2)
    scheduler.run_duties()
    return export


def finding_details() -> list[str]:
    return [one.detail for one in log.verify().findings]


def test_the_scheduler_anchors_each_day_that_is_over_and_has_events_once(old: Export) -> None:
    today = timezone.now().astimezone(UTC).date()
    scheduler.run_duties()
    made = list(AuditAnchor.objects.order_by("day"))
    assert [one.day for one in made] == [today - timedelta(days=10), today - timedelta(days=5)]
    assert [(one.chains, one.events) for one in made] == [(1, 6), (1, 4)]
    assert (made[0].previous_hash, made[1].previous_hash) == ("", made[0].hash)
    verdict = log.verify()
    assert (verdict.anchors, verdict.findings) == (2, [])


def test_a_chain_that_was_made_anew_with_its_head_is_told_by_the_anchor(old: Export) -> None:
    with unlock_events(old) as lines:
        change(lines[6], message="Nothing happened.")
        Export.objects.filter(pk=old.pk).update(log_hash=rehash(lines[6]))
        assert finding_details()[-1:] == ["its 6 events are not those that were anchored"]


def test_an_end_that_was_cut_with_its_head_is_told_by_the_anchor(old: Export) -> None:
    with unlock_events(old) as lines:
        remove(lines[5], lines[6])
        Export.objects.filter(pk=old.pk).update(log_sequence=4, log_hash=lines[4].hash)
        assert finding_details()[-1:] == ["anchored were 6 events of 1 exports; there are 4 of 1"]


def test_a_chain_that_is_gone_with_its_head_is_told_by_the_anchor(old: Export) -> None:
    with unlock_events(old) as lines:
        remove(*lines.values())
        Export.objects.filter(pk=old.pk).update(log_sequence=0, log_hash="")
        assert finding_details()[-1:] == ["anchored were 6 events of 1 exports; there are 0 of 0"]


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ({"events": 7}, "the anchor does not have its hash: it was changed"),
        ({"hash": "0" * 64}, "the anchor does not have its hash: it was changed"),
    ],
)
def test_a_changed_anchor_is_found(old: Export, values: dict[str, Any], detail: str) -> None:
    with append_only.triggers_disabled(connection):
        AuditAnchor.objects.filter(events=6).update(**values)
    assert detail in finding_details()


def test_an_anchor_that_was_deleted_is_found(old: Export) -> None:
    with append_only.triggers_disabled(connection):
        AuditAnchor.objects.filter(events=6)._raw_delete("default")
    assert finding_details() == [
        "it does not carry the hash of the anchor before: one is missing",
        "the day has events and no anchor",
    ]


def test_the_log_is_given_out_with_its_hashes_and_can_be_checked_without_the_database(old: Export) -> None:
    given = list(log.lines())
    kinds = [json.loads(line)["kind"] for line in given]
    assert kinds == ["log", *["event"] * 12, *["anchor"] * 2, "end"]
    verdict = log.verify_lines(given)
    assert (verdict.chains, verdict.events, verdict.anchors, verdict.findings) == (3, 12, 2, [])


def test_days_of_the_log_can_be_given_out_alone(old: Export) -> None:
    day = (timezone.now().astimezone(UTC) - timedelta(days=5)).date().isoformat()
    given = list(log.lines(day, day))
    verdict = log.verify_lines(given)
    assert (verdict.chains, verdict.events, verdict.anchors, verdict.findings) == (1, 4, 1, [])
    with pytest.raises(InvalidRequest):
        list(log.lines("yesterday"))


@pytest.mark.parametrize("number", range(1, 15))
def test_a_line_that_was_left_out_of_a_file_is_found(old: Export, number: int) -> None:
    given = list(log.lines())
    assert log.verify_lines([*given[:number], *given[number + 1 :]]).findings


@pytest.mark.parametrize("number", range(1, 15))
def test_a_line_that_was_changed_in_a_file_is_found(old: Export, number: int) -> None:
    given = list(log.lines())
    one = json.loads(given[number])
    one["message" if one["kind"] == "event" else "events"] = 5
    given[number] = json.dumps(one).encode()
    assert log.verify_lines(given).findings


@pytest.mark.parametrize("line", [b"", b"[]", b"id,name", b'{"kind": "event"}', b'{"kind": "other"}'])
def test_a_file_that_is_no_log_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidRequest):
        log.verify_lines([line])


def test_no_day_is_anchored_before_it_is_over(owner: User) -> None:
    days_ago(create_log_chain(owner, 1), 0)
    assert daily_anchors.write_due() == 0
    assert not AuditAnchor.objects.exists()
    assert ExportLog.objects.exists()
