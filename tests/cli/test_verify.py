"""`rowferry verify`: every kind of tampering is seen, in every format, by whoever has the file and the public key."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from typer.testing import Result

from rowferry.exports import catalogue
from rowferry.exports.encoding.row_count import RowCount
from rowferry.exports.formats import FormatWriter, format_writers
from rowferry.exports.integrity import signing
from tests.cli.conftest import Cli
from tests.factories.assets import AssetFactory
from tests.pages import blocks

pytestmark = pytest.mark.django_db
FORMATS = [one.name for one in catalogue.formats()]
Tamper = Callable[[Path, Path], object]


@pytest.fixture
def keys(tmp_path: Path, settings: Any) -> Path:
    """A key of this test's own, and the file of its public half."""
    settings.ROWFERRY_SIGNING_KEY_FILE = str(tmp_path / "signing-key")
    settings.ROWFERRY_PUBLIC_KEYS = str(tmp_path / "public-keys")
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(signing.public_keys()))
    return file


def export_file(cli: Cli, kind: str = "csv", *words: str) -> Path:
    """A file of three assets, with its manifest beside it."""
    AssetFactory.create_batch(3)
    done = cli("export", "assets", "-f", kind, "--manifest", *words)
    assert done.exit_code == 0, done.output
    return Path(done.stdout.strip())


def find_failed_checks(done: Result) -> dict[str, str]:
    """By what was looked at, what was found wrong."""
    return {one["what"]: one["found"] for one in json.loads(done.stdout)["checks"] if not one["ok"]}


@pytest.mark.parametrize("words", [(), ("--headers", "labels", "--columns", "name,id,status")], ids=["plain", "labels"])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_every_format_is_as_it_was_made(cli: Cli, keys: Path, kind: str, words: tuple[str, ...]) -> None:
    done = cli("verify", export_file(cli, kind, *words), "--keys", keys, "--json")
    assert (done.exit_code, find_failed_checks(done)) == (0, {})
    looked_at = [one["what"] for one in json.loads(done.stdout)["checks"]]
    assert looked_at == ["signature", "bytes", "sha256", "rows", "columns"]


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_compressed_file_is_read_too(cli: Cli, keys: Path, packed: str) -> None:
    done = cli("verify", export_file(cli, "csv", "--option", f"compress={packed}"), "--keys", keys)
    assert done.exit_code == 0, done.output


def test_a_nested_file_is_read_too(cli: Cli, keys: Path) -> None:
    for kind in ("json", "ndjson"):
        done = cli("verify", export_file(cli, kind, "--nested"), "--keys", keys)
        assert done.exit_code == 0, done.output


def test_others_read_fields_as_long_as_before(cli: Cli, keys: Path) -> None:
    before = csv.field_size_limit()
    assert cli("verify", export_file(cli), "--keys", keys).exit_code == 0
    assert csv.field_size_limit() == before


def test_rows_of_an_unknown_format_are_not_checked(cli: Cli, keys: Path) -> None:
    file = export_file(cli)
    manifest = file.with_name(f"{file.name}.manifest.json")
    manifest.write_text(manifest.read_text().replace('"format": "csv"', '"format": "pgcopy"'))
    done = cli("verify", file, "--unsigned", "--json")
    assert (done.exit_code, find_failed_checks(done)) == (
        0,
        {"rows": "not checked: there is no reader for pgcopy here"},
    )


def test_a_format_without_a_reader_is_not_checked(cli: Cli, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = export_file(cli)
    monkeypatch.setattr(format_writers()["csv"], "count_rows", FormatWriter.count_rows)
    assert cli("verify", file, "--keys", keys).exit_code == 0


@pytest.fixture
def pgcopy(monkeypatch: pytest.MonkeyPatch) -> type[FormatWriter]:
    """The format that docs/add-a-format.md adds."""
    writers = format_writers()  # filled before the class is there
    (code,) = [block for block in blocks("python", "docs/add-a-format.md") if "PgCopyWriter" in block]
    namespace: dict[str, Any] = {"__name__": "tests.example"}
    exec(compile(code, "docs/add-a-format.md", "exec"), namespace)
    writer: type[FormatWriter] = namespace["PgCopyWriter"]
    monkeypatch.setitem(writers, "pgcopy", writer)
    return writer


def test_a_file_of_a_new_format_is_as_it_was_made(
    cli: Cli, keys: Path, pgcopy: type[FormatWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = export_file(cli, "pgcopy")
    done = cli("verify", file, "--keys", keys, "--json")
    not_checked = {"rows": "not checked: there is no reader for pgcopy here"}
    assert (done.exit_code, find_failed_checks(done)) == (0, not_checked)
    counter = classmethod(lambda _cls, stream, _spec: RowCount(len(stream.readlines()) - 1, None))
    monkeypatch.setattr(pgcopy, "count_rows", counter)
    done = cli("verify", file, "--keys", keys, "--json")
    assert (done.exit_code, find_failed_checks(done)) == (0, {})
    file.write_bytes(file.read_bytes() + b"another row\n")
    done = cli("verify", file, "--keys", keys, "--json")
    assert (done.exit_code, find_failed_checks(done).keys()) == (3, {"bytes", "sha256", "rows"})


def another_byte(file: Path, _manifest: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)


def a_row_less(file: Path, _manifest: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))


def other_titles(file: Path, _manifest: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"id,name", b"name,id", 1))


def another_number(_file: Path, manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace('"rows_written": 3', '"rows_written": 4'))


def another_asker(_file: Path, manifest: Path) -> None:
    said = json.loads(manifest.read_text())
    said["actor"]["name"] = "somebody else"
    manifest.write_text(json.dumps(said))


def no_signature(_file: Path, manifest: Path) -> None:
    said = json.loads(manifest.read_text())
    del said["signature"]
    manifest.write_text(json.dumps(said))


@pytest.mark.parametrize(
    "tamper, seen",
    [
        (another_byte, {"sha256"}),
        (a_row_less, {"bytes", "sha256", "rows"}),
        (other_titles, {"sha256", "columns"}),
        (another_number, {"signature", "rows"}),
        (another_asker, {"signature"}),
        (no_signature, {"signature"}),
    ],
)
def test_what_was_changed_is_named(cli: Cli, keys: Path, tamper: Tamper, seen: set[str]) -> None:
    file = export_file(cli)
    tamper(file, file.with_name(f"{file.name}.manifest.json"))
    done = cli("verify", file, "--keys", keys, "--json")
    assert (done.exit_code, find_failed_checks(done).keys()) == (3, seen)


@pytest.mark.parametrize("kind", [one for one in FORMATS if one not in ("csv", "tsv")])
def test_a_file_that_was_cut_off_is_not_taken_for_whole(cli: Cli, keys: Path, kind: str) -> None:
    file = export_file(cli, kind)
    file.write_bytes(file.read_bytes()[:-20])
    done = cli("verify", file, "--keys", keys, "--json")
    assert done.exit_code == 3
    assert {"bytes", "sha256", "rows"} <= find_failed_checks(done).keys()


def test_the_key_of_somebody_else_proves_nothing(cli: Cli, keys: Path, settings: Any, tmp_path: Path) -> None:
    file = export_file(cli)
    settings.ROWFERRY_SIGNING_KEY_FILE, settings.ROWFERRY_PUBLIC_KEYS = str(tmp_path / "another"), ""
    keys.write_text(json.dumps(signing.public_keys()))
    done = cli("verify", file, "--keys", keys, "--json")
    assert done.exit_code == 3
    assert "is not among the 1 given" in find_failed_checks(done)["signature"]
    assert cli("verify", file, "--keys", keys, "--unsigned").exit_code == 0


def test_a_file_is_proved_after_a_change_of_keys(cli: Cli, keys: Path, tmp_path: Path, settings: Any) -> None:
    file = export_file(cli)
    (tmp_path / "signing-key").unlink()
    signing._load_private_key.cache_clear()
    now = signing.public_keys()["keys"]
    assert len(now) == 2
    assert now[1:] == json.loads(keys.read_text())["keys"]
    assert cli("verify", file).exit_code == 0


def test_without_keys_none_is_made(cli: Cli, keys: Path, tmp_path: Path, settings: Any) -> None:
    file = export_file(cli)
    settings.ROWFERRY_SIGNING_KEY_FILE, settings.ROWFERRY_PUBLIC_KEYS = str(tmp_path / "none"), str(tmp_path / "no")
    done = cli("verify", file, "--json")
    assert "is not among the 0 given" in find_failed_checks(done)["signature"]
    assert not (tmp_path / "none").exists()


def test_a_download_brings_its_manifest(cli: Cli, keys: Path) -> None:
    export_file(cli)
    export_id = json.loads(cli("exports", "list", "--json").stdout)["data"][0]["export_id"]
    done = cli("exports", "download", export_id, "-o", "again.csv", "--manifest")
    assert done.exit_code == 0, done.output
    assert cli("verify", "again.csv", "--keys", keys).exit_code == 0


@pytest.mark.parametrize("text, why", [("[1]", "no JSON object"), ("not json", "no JSON"), ("{}", "say format")])
def test_what_is_no_manifest_is_said_to_be_none(cli: Cli, keys: Path, text: str, why: str) -> None:
    file = export_file(cli)
    other = file.with_name("other.json")
    other.write_text(text)
    done = cli("verify", file, "--manifest", other, "--keys", keys)
    assert done.exit_code == 1
    assert why in done.stderr


def test_standard_output_has_nothing_beside_it(cli: Cli) -> None:
    done = cli("export", "assets", "-f", "csv", "-o", "-", "--manifest")
    assert done.exit_code == 2
    assert "--output" in done.stderr


def test_a_stranger_who_checks_a_file_is_left_with_nothing_else(cli: Cli, keys: Path, tmp_path: Path) -> None:
    file, away = export_file(cli), tmp_path / "away"
    away.mkdir()
    command = [
        sys.executable,
        "-c",
        "from rowferry.cli.main import run; run()",
        "verify",
        str(file),
        "--keys",
        str(keys),
    ]
    done = subprocess.run(command, cwd=away, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert (done.returncode, list(away.iterdir())) == (0, []), done.stderr


def test_who_acted_is_shown_and_signed(cli: Cli, keys: Path, owner: User) -> None:
    AssetFactory()
    assert cli("export", "assets", "-f", "csv", "--user", "owner", "-o", "a.csv", "--manifest").exit_code == 0
    lines = cli("verify", "a.csv", "--keys", keys).stderr.splitlines()
    assert lines[:2] == ["The manifest says actor: operator", f"The manifest says on_behalf_of: owner (id {owner.pk})"]
    told = json.loads(cli("verify", "a.csv", "--keys", keys, "--json").stdout)
    assert (told["actor"]["name"], told["on_behalf_of"]["name"]) == ("operator", "owner")
    another_asker(Path("a.csv"), Path("a.csv.manifest.json"))
    assert cli("verify", "a.csv", "--keys", keys).exit_code == 3


def test_a_manifest_of_before_there_were_actors_is_still_valid(cli: Cli, keys: Path) -> None:
    file = export_file(cli)
    path = file.with_name(f"{file.name}.manifest.json")
    said = json.loads(path.read_text())
    for name in ("actor", "on_behalf_of", "signature"):
        del said[name]
    old = {**said, "manifest_version": 1, "requested_by": {"id": 7, "name": "owner", "email": ""}}
    path.write_text(json.dumps(signing.add_signature(old)))
    done = cli("verify", file, "--keys", keys, "--json")
    assert done.exit_code == 0
    assert "actor" not in json.loads(done.stdout)
