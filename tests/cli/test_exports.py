"""`rowferry exports …` here, on the database."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from rowferry.exports.models import Event, Export, ExportLog, Status
from rowferry.exports.submission import enqueue
from tests.cli.conftest import Cli
from tests.factories.assets import AssetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(cli: Cli, owner: User) -> Export:
    """A completed export of the owner's."""
    AssetFactory()
    assert cli("export", "assets", "-f", "csv", "--user", "owner", "-o", "-").exit_code == 0
    return Export.objects.get()


@pytest.fixture
def waiting(owner: User) -> Export:
    """An export of the owner's that no worker has taken."""
    return enqueue("assets", {"format": "csv"}, owner)


def test_the_operator_sees_all_and_a_person_their_own(cli: Cli, done: Export, stranger: User) -> None:
    for words, seen in (([], 1), (["--user", "owner"], 1), (["--user", "stranger"], 0)):
        page = json.loads(cli("exports", "list", "--json", *words).stdout)
        assert (len(page["data"]), page["pagination"]["total"]) == (seen, seen)


def test_in_a_pipe_a_list_is_lines_with_tabs(cli: Cli, done: Export) -> None:
    result = cli("exports", "list")
    (line,) = result.stdout.splitlines()
    cells = line.split("\t")
    assert cells[0] == str(done.pk)
    assert cells[2:] == ["assets", "csv", "completed", "1", str(done.file_size)]
    assert "1 in all" in result.stderr


def test_a_list_can_be_narrowed(cli: Cli, done: Export, waiting: Export) -> None:
    assert str(waiting.pk) in cli("exports", "list", "--status", "pending", "--resource", "assets").stdout
    assert str(done.pk) not in cli("exports", "list", "--status", "pending").stdout
    wrong = cli("exports", "list", "--status", "lost")
    assert wrong.exit_code == 1
    assert "status: Must be one of: pending" in wrong.stderr


def test_show_says_what_is_known(cli: Cli, done: Export) -> None:
    told = json.loads(cli("exports", "show", done.pk, "--json").stdout)
    assert (told["export_id"], told["status"], told["success_rate"]) == (str(done.pk), "completed", 100.0)
    assert f"checksum\tsha256:{done.sha256}" in cli("exports", "show", done.pk).stdout.splitlines()


@pytest.mark.parametrize("command", ["show", "logs", "download", "retry", "cancel", "delete"])
def test_what_is_not_there_or_somebody_elses_is_not_found(cli: Cli, done: Export, stranger: User, command: str) -> None:
    for words in ([uuid4()], ["gibberish"], [done.pk, "--user", "stranger"]):
        result = cli("exports", command, *words)
        assert result.exit_code == 1
        assert "no export with this id" in result.stderr
        assert result.stdout == ""


def test_the_log_is_told_oldest_first(cli: Cli, done: Export) -> None:
    told = json.loads(cli("exports", "logs", done.pk, "--json").stdout)["data"]
    assert [line["event"] for line in told] == ["initiated", "processing", "completed"]
    assert told[0]["actor"] == {"id": None, "name": "operator", "email": ""}
    assert told[0]["on_behalf_of"]["name"] == "owner"
    (only,) = cli("exports", "logs", done.pk, "--event", "initiated").stdout.splitlines()
    assert only.endswith("\toperator\towner")


def test_a_download_is_the_file_and_is_logged(cli: Cli, done: Export, storage_folder: Path) -> None:
    result = cli("exports", "download", done.pk, "-o", "file.csv")
    assert result.exit_code == 0
    assert Path("file.csv").read_bytes() == (storage_folder / done.file_key).read_bytes()
    done.refresh_from_db()
    assert done.download_count == 1
    assert ExportLog.objects.filter(export=done, event=Event.DOWNLOADED).count() == 1


def test_a_download_to_a_folder_keeps_its_name(cli: Cli, done: Export) -> None:
    Path("files").mkdir()
    assert cli("exports", "download", done.pk, "-o", "files").exit_code == 0
    assert [path.name for path in Path("files").iterdir()] == [done.filename]


def test_what_is_not_ready_cannot_be_downloaded(cli: Cli, waiting: Export) -> None:
    result = cli("exports", "download", waiting.pk)
    assert result.exit_code == 1
    assert "waits to be made" in result.stderr
    assert list(Path.cwd().iterdir()) == []


def test_cancel_then_retry_queues_a_new_one(cli: Cli, waiting: Export) -> None:
    cancelled = cli("exports", "cancel", waiting.pk)
    assert (cancelled.exit_code, cancelled.stderr) == (0, "Cancelled.\n")
    result = cli("exports", "retry", waiting.pk)
    assert result.exit_code == 0
    new = Export.objects.get(pk=result.stdout.strip())
    assert (new.retry_of_id, new.status) == (waiting.pk, Status.PENDING)


def test_what_is_completed_can_be_neither_cancelled_nor_retried(cli: Cli, done: Export) -> None:
    for command in ("cancel", "retry"):
        result = cli("exports", command, done.pk)
        assert result.exit_code == 1
        assert "The export is completed" in result.stderr


def test_delete_removes_the_file_and_keeps_the_log(cli: Cli, done: Export, storage_folder: Path) -> None:
    assert cli("exports", "delete", done.pk).exit_code == 0
    assert not (storage_folder / done.file_key).exists()
    assert "deleted" in cli("exports", "logs", done.pk).stdout
    assert cli("exports", "download", done.pk).exit_code == 1


@pytest.mark.parametrize("words, principal", [(["--user", "owner"], "owner"), ([], None)])
def test_the_operator_acts_and_a_named_person_lends_the_rights(
    cli: Cli, owner: User, words: list[str], principal: str | None
) -> None:
    AssetFactory()
    assert cli("export", "assets", "-f", "csv", *words, "-o", "a.csv", "--manifest").exit_code == 0
    export = Export.objects.get()
    manifest = json.loads(Path("a.csv.manifest.json").read_text())
    shown = json.loads(cli("exports", "show", export.pk, "--json").stdout)
    for told in (manifest, shown):
        assert told["actor"] == {"id": None, "name": "operator", "email": ""}
        assert (told["on_behalf_of"] or {}).get("name") == principal
    assert cli("exports", "download", export.pk, *words, "-o", "b.csv").exit_code == 0
    assert cli("exports", "delete", export.pk, *words).exit_code == 0
    lines = json.loads(cli("exports", "logs", export.pk, "--json").stdout)["data"]
    told = {line["event"]: [(line[name] or {}).get("name") for name in ("actor", "on_behalf_of")] for line in lines}
    for event in ("initiated", "downloaded", "deleted"):
        assert told[event] == ["operator", principal]
    for event in ("processing", "completed"):
        assert told[event] == [None, None]
    last = cli("exports", "logs", export.pk, "--event", "deleted").stdout.rstrip("\n")
    assert last.split("\t")[-2:] == ["operator", principal or ""]


def test_retry_and_cancel_for_a_person_are_the_operators(cli: Cli, waiting: Export) -> None:
    assert cli("exports", "cancel", waiting.pk, "--user", "owner").exit_code == 0
    new = cli("exports", "retry", waiting.pk, "--user", "owner").stdout.strip()
    for key, event in ((waiting.pk, "cancelled"), (new, "initiated")):
        line = ExportLog.objects.get(export_id=key, event=event)
        assert (line.actor_id, line.actor_name, line.on_behalf_of_name) == ("", "operator", "owner")
