"""`rowferry export` here, on the database."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import threading
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from rowferry.exports.models import Export
from tests.cli.conftest import Cli
from tests.factories.assets import AssetFactory, AssetStatusFactory, LocationFactory

pytestmark = pytest.mark.django_db


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_the_file_on_standard_output_is_byte_for_byte_the_kept_one(cli: Cli, storage_folder: Path) -> None:
    AssetFactory.create_batch(3, name="Zoë’s\r\nlaptop")
    result = cli("export", "assets", "--format", "csv", "-o", "-")
    export = Export.objects.get()
    assert result.exit_code == 0
    assert result.stdout_bytes == (storage_folder / export.file_key).read_bytes()
    assert hashlib.sha256(result.stdout_bytes).hexdigest() == export.sha256
    assert f"3 rows, {export.file_size} bytes, sha256 {export.sha256}" in result.stderr


def test_without_output_the_file_gets_its_own_name_here_and_the_name_is_printed(cli: Cli) -> None:
    AssetFactory()
    result = cli("export", "assets", "-f", "csv")
    assert result.exit_code == 0
    path = Path(result.stdout.strip())
    assert path == Path.cwd() / Export.objects.get().filename
    assert len(rows(path.read_bytes())) == 2


def test_the_whole_request_reaches_the_file(cli: Cli) -> None:
    for name in ("b", "a", "c"):
        AssetFactory(name=name, asset_tag=f"={name},=1")
    words = "--columns asset_tag,name --sort-by name --sort-order desc --headers labels --time-zone Asia/Tokyo"
    options = "--option delimiter=; --option formula_guard=strict"
    result = cli("export", "assets", "-f", "csv", *words.split(), *options.split(), "-o", "-")
    assert result.exit_code == 0
    lines = result.stdout_bytes.decode("utf-8-sig").replace('"', "").splitlines()
    assert lines == ["Asset tag;Name", "'=c,'=1;c", "'=b,'=1;b", "'=a,'=1;a"]
    assert Export.objects.get().spec["time_zone"] == "Asia/Tokyo"


def test_a_filter_given_twice_takes_any_of_its_values(cli: Cli) -> None:
    statuses = [AssetStatusFactory(name=name) for name in ("In use", "Lost", "Retired")]
    for status in statuses:
        AssetFactory(name=status.name, status=status)
    chosen = [f"status_id={status.pk}" for status in statuses[1:]]
    result = cli(
        "export", "assets", "-f", "csv", "--columns", "name", "--filter", chosen[0], "--filter", chosen[1], "-o", "-"
    )
    assert rows(result.stdout_bytes) == [["name"], ["Lost"], ["Retired"]]


def test_null_is_json_and_every_other_value_is_text(cli: Cli) -> None:
    here = LocationFactory()
    AssetFactory(name="here", location=here)
    AssetFactory(name="null", location=None)
    export = ("export", "assets", "-f", "csv", "--columns", "name", "-o", "-")
    assert rows(cli(*export, "--filter", "location_id:=null").stdout_bytes) == [["name"], ["null"]]
    both = ("--filter", f"location_id={here.pk}", "--filter", "location_id:=null")
    assert rows(cli(*export, *both).stdout_bytes) == [["name"], ["here"], ["null"]]
    assert rows(cli(*export, "--filter", "search=null").stdout_bytes) == [["name"], ["null"]]
    assert cli(*export, "--filter", "location_id=null").exit_code == 1


def test_nested_json(cli: Cli) -> None:
    asset = AssetFactory()
    result = cli("export", "assets", "-f", "json", "--nested", "--columns", "status_id,status", "-o", "-")
    data = json.loads(result.stdout_bytes)["data"]
    assert data == [{"status": {"id": asset.status_id, "name": "In use"}}]


def test_an_unknown_column_is_named_beside_the_valid_ones_and_leaves_no_file(cli: Cli) -> None:
    result = cli("export", "assets", "-f", "csv", "--columns", "id,colour")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "columns: Unknown: colour. There are: id, name, asset_tag" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(Path.cwd().iterdir()) == []


def test_every_wrong_field_is_told(cli: Cli) -> None:
    result = cli("export", "assets", "-f", "csv", "--columns", "colour", "--sort-by", "size", "--filter", "owner=1")
    assert result.exit_code == 1
    assert "Unknown: colour" in result.stderr
    assert "  sort_by: Must be one of" in result.stderr
    assert "  filters.owner: There is no such filter" in result.stderr


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["--filter", "status_id"], "--filter wants NAME=VALUE"),
        (["--filter", "status_id:=nul"], "--filter wants JSON behind :="),
        (["--option", "=;"], "--option wants NAME=VALUE"),
        (["--sort-order", "up"], "--sort-order"),
        (["--json", "-o", "-"], "not both"),
        (["--server", "http://127.0.0.1"], "--token"),
        (["--server", "127.0.0.1", "--token", "t"], "http://"),
        (["--server", "http://127.0.0.1", "--token", "t", "--user", "ann"], "--user"),
        (["--colour"], "No such option"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(cli: Cli, words: list[str], complaint: str) -> None:
    result = cli("export", "assets", "-f", "csv", *words)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


def test_an_unknown_resource_is_told_with_those_that_there_are(cli: Cli) -> None:
    result = cli("export", "laptops", "-f", "csv")
    assert result.exit_code == 1
    assert "There is no resource 'laptops'. There are: assets, tickets" in result.stderr


def test_an_export_as_a_person_belongs_to_them(cli: Cli, owner: User) -> None:
    AssetFactory()
    assert cli("export", "assets", "-f", "csv", "--user", "owner", "-o", "-").exit_code == 0
    assert Export.objects.get().user == owner


def test_a_person_without_the_permission_may_not(cli: Cli) -> None:
    User.objects.create_user("guest")
    result = cli("export", "assets", "-f", "csv", "--user", "guest")
    assert result.exit_code == 1
    assert "permission" in result.stderr
    assert not Export.objects.exists()


def test_an_unknown_person_is_told(cli: Cli) -> None:
    result = cli("export", "assets", "-f", "csv", "--user", "nobody")
    assert result.exit_code == 1
    assert "There is no user 'nobody'" in result.stderr


def test_a_dry_run_prints_a_preview_and_stores_nothing(cli: Cli) -> None:
    AssetFactory(name="=1+1")
    shown = cli("export", "assets", "-f", "csv", "--columns", "name", "--dry-run")
    told = cli("export", "assets", "-f", "csv", "--columns", "name", "--dry-run", "--json")
    assert (shown.exit_code, shown.stdout) == (0, "'=1+1\n")
    assert "1 row, " in shown.stderr
    assert "formula" in shown.stderr
    answer = json.loads(told.stdout)
    assert (answer["status"], answer["total_items"], answer["preview"]) == ("DRY_RUN_SUCCESS", 1, [{"name": "'=1+1"}])
    assert not Export.objects.exists()
    assert list(Path.cwd().iterdir()) == []


def test_json_tells_of_the_export_and_its_path(cli: Cli) -> None:
    AssetFactory()
    result = cli("export", "assets", "-f", "json", "-o", "a.json", "--json")
    told = json.loads(result.stdout)
    data = Path("a.json").read_bytes()
    assert told["path"] == str(Path.cwd() / "a.json")
    assert (told["status"], told["exported_items"], told["file_size"]) == ("completed", 1, len(data))
    assert told["checksum"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert told["created_at"].startswith(f"{date.today():%Y-}")
    assert told["created_at"].endswith("Z")


def test_a_file_that_is_there_stays_when_the_export_fails(cli: Cli) -> None:
    Path("assets.csv").write_text("precious")
    assert cli("export", "assets", "-f", "csv", "--columns", "colour", "-o", "assets.csv").exit_code == 1
    assert [path.name for path in Path.cwd().iterdir()] == ["assets.csv"]
    assert Path("assets.csv").read_text() == "precious"


def test_a_folder_that_is_not_there_is_told_before_any_work(cli: Cli) -> None:
    result = cli("export", "assets", "-f", "csv", "-o", "nowhere/assets.csv")
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
    assert not Export.objects.exists()


def test_a_named_pipe_is_written_to_and_not_replaced(cli: Cli, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    AssetFactory()
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert cli("export", "assets", "-f", "csv", "--columns", "id", "-o", pipe).exit_code == 0
    reader.join(10)
    assert len(rows(read[0])) == 2
    assert pipe.is_fifo()


def test_rows_that_are_damaged_in_the_storage_are_not_handed_out(cli: Cli, storage_folder: Path) -> None:
    AssetFactory()
    assert cli("export", "assets", "-f", "csv", "-o", "-").exit_code == 0
    export = Export.objects.get()
    kept = storage_folder / export.file_key
    kept.chmod(0o600)
    kept.write_bytes(b"X" + kept.read_bytes()[1:])
    result = cli("exports", "download", export.pk, "-o", "again.csv")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert list(Path.cwd().iterdir()) == []
