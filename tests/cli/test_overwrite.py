"""No command replaces a file unless it is told to."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from rowferry.exports.models import Export
from tests.cli.conftest import Cli
from tests.factories.assets import AssetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(cli: Cli, owner: User) -> Export:
    """A completed export of the owner's."""
    AssetFactory()
    assert cli("export", "assets", "-f", "csv", "--user", "owner", "-o", "-").exit_code == 0
    return Export.objects.get()


def commands(export: Export, *words: object) -> list[tuple[object, ...]]:
    return [("export", "assets", "-f", "csv", *words), ("exports", "download", export.pk, *words)]


def test_named_file_is_refused_before_the_work_begins(cli: Cli, export: Export) -> None:
    Path("mine.csv").write_text("precious")
    for words in (*commands(export, "-o", "mine.csv"), ("audit", "export", "-o", "mine.csv")):
        done = cli(*words)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "mine.csv exists already: --force replaces it." in done.stderr
    assert [path.name for path in Path.cwd().iterdir()] == ["mine.csv"]
    assert Path("mine.csv").read_text() == "precious"
    assert Export.objects.count() == 1


def test_file_of_its_own_name_is_refused_and_can_be_had_again(cli: Cli, export: Export) -> None:
    Path(export.filename).write_text("precious")
    for words in commands(export):
        done = cli(*words)
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"{export.filename} exists already" in done.stderr
    assert [path.name for path in Path.cwd().iterdir()] == [export.filename]
    assert Path(export.filename).read_text() == "precious"


def test_manifest_is_not_replaced_either(cli: Cli, export: Export) -> None:
    Path("mine.csv.manifest.json").write_text("precious")
    for words in commands(export, "-o", "mine.csv", "--manifest"):
        done = cli(*words)
        assert done.exit_code == 1
        assert "mine.csv.manifest.json exists already" in done.stderr
    assert [path.name for path in Path.cwd().iterdir()] == ["mine.csv.manifest.json"]


def test_force_replaces_both(cli: Cli, export: Export) -> None:
    for words in commands(export, "-o", "mine.csv", "--manifest", "--force"):
        Path("mine.csv").write_text("old")
        Path("mine.csv.manifest.json").write_text("old")
        assert cli(*words).exit_code == 0
        assert "old" not in (Path("mine.csv").read_text(), Path("mine.csv.manifest.json").read_text())


def test_device_is_no_file_to_be_replaced(cli: Cli, export: Export) -> None:
    for words in commands(export, "-o", "/dev/null"):
        assert cli(*words).exit_code == 0
