"""`rowferry audit`: what an auditor types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from tests.cli.conftest import Cli
from tests.support.tampering import change, create_log_chain, unlock_events

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_log_that_is_whole_verifies_with_exit_code_0(cli: Cli, owner: User) -> None:
    export = create_log_chain(owner, 3)
    result = cli("audit", "verify")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 events of 1 exports and 0 anchors checked: all is as it was written." in result.stderr
    assert cli("audit", "verify", "--export", export.pk).exit_code == 0


def test_what_is_wrong_is_printed_with_its_place_and_exit_code_3(cli: Cli, owner: User) -> None:
    export = create_log_chain(owner, 3)
    with unlock_events(export) as lines:
        change(lines[2], message="Nothing happened.")
        plain, told = cli("audit", "verify"), cli("audit", "verify", "--json")
    assert (plain.exit_code, told.exit_code) == (3, 3)
    assert f"changed\t{export.pk}\t2\tits content does not have its hash" in plain.stdout.splitlines()
    findings = json.loads(told.stdout)["findings"]
    assert ("changed", str(export.pk), 2) in [(one["what"], one["export_id"], one["sequence"]) for one in findings]


def test_the_log_goes_to_a_file_that_can_be_checked(cli: Cli, owner: User) -> None:
    create_log_chain(owner, 3)
    assert cli("audit", "export", "-o", "log.ndjson").exit_code == 0
    assert cli("audit", "verify", "--file", "log.ndjson").exit_code == 0
    text = Path("log.ndjson").read_text()
    assert cli("audit", "export").stdout.splitlines()[1:] == text.splitlines()[1:]
    Path("log.ndjson").write_text(text.replace("1 rows.", "9 rows."))
    result = cli("audit", "verify", "--file", "log.ndjson")
    assert result.exit_code == 3
    assert "changed" in result.stdout


def test_what_cannot_be_checked_ends_with_1_and_a_wrong_command_line_with_2(cli: Cli) -> None:
    assert cli("audit", "verify", "--export", "none").exit_code == 1
    assert cli("audit", "verify", "--file", "nowhere").exit_code == 1
    assert cli("audit", "export", "--from", "yesterday").exit_code == 1
    assert cli("audit", "verify", "--export", "a", "--file", "b").exit_code == 2


def test_the_last_day_that_there_is_may_be_named(cli: Cli, owner: User) -> None:
    create_log_chain(owner, 3)
    result = cli("audit", "export", "--to", "9999-12-31")
    assert result.exit_code == 0
    assert '"kind":"event"' in result.stdout
