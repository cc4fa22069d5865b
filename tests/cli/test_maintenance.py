"""Resources, people, data, and what an installation says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from rowferry.assets.models import Asset
from rowferry.runtime import supervisor
from rowferry.tickets.models import Ticket
from tests.cli.conftest import Cli

ROWFERRY = Path(sys.executable).with_name("rowferry")


@pytest.mark.django_db
def test_resources_are_listed_and_described(cli: Cli) -> None:
    assert [line.split("\t")[0] for line in cli("resources").stdout.splitlines()] == ["assets", "tickets"]
    told = json.loads(cli("resources", "assets", "--json").stdout)
    assert told["columns"][2] == {
        "name": "asset_tag",
        "label": "Asset tag",
        "type": "identifier",
        "default": True,
        "sortable": True,
        "nest": None,
        "treatment": "show",
    }
    assert "location_id" in [parameter["name"] for parameter in told["filters"]]
    assert {"csv", "excel", "json"} <= {writer_class["name"] for writer_class in told["formats"]}
    lines = cli("resources", "assets").stdout.splitlines()
    assert "asset_tag\tidentifier\tAsset tag\tby default" in lines
    assert any(line.startswith("search\ttext") for line in lines)


@pytest.mark.django_db
def test_a_new_person_may_export_everything_and_a_second_call_changes_only_what_it_names(cli: Cli) -> None:
    result = cli("user", "ann", "--email", "ann@example.com", "--password", "secret")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "May export: assets, tickets." in result.stderr
    ann = User.objects.get(username="ann")
    assert ann.has_perms(["assets.export_asset", "tickets.export_ticket"])
    assert ann.check_password("secret")
    ann.user_permissions.clear()
    assert cli("user", "ann", "--staff").exit_code == 0
    again = User.objects.get(username="ann")
    assert (again.email, again.is_staff, again.is_superuser) == ("ann@example.com", True, False)
    assert again.check_password("secret")
    assert not again.has_perm("assets.export_asset")
    assert cli("user", "ann", "--no-staff", "--permissions").exit_code == 0
    last = User.objects.get(username="ann")
    assert (last.is_staff, last.has_perm("assets.export_asset")) == (False, True)


@pytest.mark.django_db
def test_permissions_and_password_can_be_refused(cli: Cli) -> None:
    assert cli("user", "bob", "--no-permissions").exit_code == 0
    bob = User.objects.get(username="bob")
    assert not bob.user_permissions.exists()
    assert not bob.has_usable_password()


@pytest.mark.django_db
def test_token_prints_a_token_and_nothing_else(cli: Cli, owner: User) -> None:
    result = cli("token", "owner")
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.split()) == 1
    wrong = cli("token", "nobody")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "There is no user 'nobody'" in wrong.stderr


@pytest.mark.django_db
def test_seed_adds_what_is_named_and_nothing_else(cli: Cli) -> None:
    result = cli("seed", "--assets", "20", "--seed", "7")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (Asset.objects.count(), Ticket.objects.count()) == (20, 0)
    assert cli("seed", "--tickets", "5").exit_code == 0
    assert (Asset.objects.count(), Ticket.objects.count()) == (20, 5)
    assert cli("seed", "--assets", "-1").exit_code == 2


@pytest.mark.django_db
def test_cleanup_says_what_it_removed(cli: Cli) -> None:
    result = cli("cleanup")
    assert result.exit_code == 0
    assert "removed" in result.stdout


@pytest.mark.django_db
def test_doctor_fails_while_no_scheduler_runs(cli: Cli) -> None:
    result = cli("doctor", "--wait", "0")
    assert result.exit_code == 1
    assert "ok    database" in result.stdout
    assert "FAIL  scheduler" in result.stdout


@pytest.mark.parametrize("name", ["scheduler", "tick"])
def test_tick_is_an_alias_of_scheduler(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, command: started.append(command))
    assert cli(name).exit_code == 0
    assert started == [supervisor.scheduler_command()]


def rowferry(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command, in a process and with a data folder of its own."""
    fresh = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env = {**fresh, "ROWFERRY_DATA_DIR": str(folder / "data"), **environment}
    command = [ROWFERRY, *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.system
def test_help_and_version_need_no_settings(tmp_path: Path) -> None:
    broken = {"DATABASE_URL": "nonsense://"}
    assert rowferry(tmp_path, "--version", **broken).stdout.strip() == version("rowferry")
    assert "export" in rowferry(tmp_path, "--help", **broken).stdout
    assert "--filter" in rowferry(tmp_path, "export", "--help", **broken).stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.system
def test_help_loads_neither_the_settings_nor_httpx() -> None:
    slow = ("django.db", "django.conf", "httpx")
    program = f"import sys, rowferry.cli.main; print([name for name in {slow} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.mark.system
def test_wrong_settings_are_told_without_a_trace(tmp_path: Path) -> None:
    result = rowferry(tmp_path, "exports", "list", DATABASE_URL="nonsense://")
    assert result.returncode == 1
    assert "DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.system
def test_a_database_without_tables_is_told_without_a_trace(tmp_path: Path) -> None:
    for words in (["exports", "list"], ["up"]):
        result = rowferry(tmp_path, *words)
        assert result.returncode == 1
        assert "rowferry migrate" in result.stderr
        assert "Traceback" not in result.stderr
