"""How tests give commands: in this process, on the test database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rowferry.cli.main import app

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """`cli("exports", "list")`, in a folder of the test's own and with no server in the environment."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("ROWFERRY_SERVER", raising=False)
    monkeypatch.delenv("ROWFERRY_TOKEN", raising=False)
    monkeypatch.setenv("SECRET_KEY", "k" * 50)  # a command may give the environment one, which ends with the test
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
