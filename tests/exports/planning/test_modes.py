"""How an export of a size is made, and what a dry run says of it."""

from __future__ import annotations

import pytest

from rowferry.exports import submission
from rowferry.exports.databases import Size
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.models import Export, Mode
from rowferry.exports.planning.plan import decide
from tests.factories.assets import AssetFactory

pytestmark = pytest.mark.django_db

BOUNDS = [
    (0, None, Mode.IMMEDIATE),
    (999, None, Mode.IMMEDIATE),
    (1_000, None, Mode.STREAMED),
    (10_000, None, Mode.STREAMED),
    (10_001, None, Mode.QUEUED),
    (0, True, Mode.QUEUED),
    (999, True, Mode.QUEUED),
    (999, False, Mode.IMMEDIATE),
    (10_001, False, Mode.STREAMED),
    (100_000, False, Mode.STREAMED),
]


@pytest.mark.parametrize("total, asynchronous, mode", BOUNDS)
def test_the_number_of_rows_chooses_the_mode(total, asynchronous, mode):
    chosen, reason = decide(Size(total), asynchronous)
    assert chosen == mode
    assert ("asked for" in str(reason)) == (bool(asynchronous) or (asynchronous is False and total > 10_000))


def test_what_one_request_cannot_carry_is_refused():
    with pytest.raises(InvalidRequest) as raised:
        decide(Size(100_001), False)
    assert "100,000" in raised.value.errors["async"][0]
    assert decide(Size(100_001), None)[0] == Mode.QUEUED


def test_the_bounds_are_settings(settings):
    settings.ROWFERRY_IMMEDIATE_BELOW, settings.ROWFERRY_QUEUE_ABOVE, settings.ROWFERRY_REQUEST_ROW_LIMIT = 2, 4, 6
    modes = [decide(Size(total), None)[0] for total in range(1, 6)]
    assert modes == [Mode.IMMEDIATE, Mode.STREAMED, Mode.STREAMED, Mode.STREAMED, Mode.QUEUED]
    assert decide(Size(6), False)[0] == Mode.STREAMED
    with pytest.raises(InvalidRequest):
        decide(Size(7), False)


def test_the_bounds_hold_on_real_rows(owner, settings):
    settings.ROWFERRY_IMMEDIATE_BELOW, settings.ROWFERRY_QUEUE_ABOVE = 2, 2
    AssetFactory()
    assert isinstance(submission.submit("assets", {"format": "csv"}, owner), submission.Ready)
    AssetFactory()
    answer = submission.submit("assets", {"format": "csv"}, owner)
    assert isinstance(answer, submission.Streamed)
    assert b"".join(answer.chunks).count(b"\r\n") == 3
    AssetFactory()
    assert isinstance(submission.submit("assets", {"format": "csv"}, owner), submission.Queued)


def test_a_dry_run_stores_nothing_and_says_the_mode(owner):
    AssetFactory(name="=cmd()")
    preview = submission.dry_run("assets", {"format": "csv", "columns": ["name"]}, owner)
    assert (preview.total, preview.mode, preview.rows) == (1, Mode.IMMEDIATE, [{"name": "'=cmd()"}])
    assert any("formula" in warning for warning in preview.warnings)
    assert not Export.objects.exists()


def test_the_size_that_a_dry_run_gives_is_about_right(owner):
    AssetFactory.create_batch(450)
    for made in ("csv", "json", "excel"):
        export = submission.perform("assets", {"format": made}, owner)
        for _ in export[1]:
            pass
        size = submission.dry_run("assets", {"format": made}, owner).size
        assert size == pytest.approx(export[0].export.file_size, rel=0.3)
