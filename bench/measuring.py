"""One contestant, one run: what it took, and whether its file holds the rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAUNCH = (sys.executable, "-I", "-S", str(ROOT / "bench" / "launch.py"))
PEERS = ROOT / ".venv-bench" / "bin" / "python"
"""The interpreter that has the peers' libraries, and never the product."""
PRODUCT = Path(sys.executable)


class ContestantFailed(Exception):
    """The contestant ended with an error, or its file holds other rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """Who writes what from where. `{file}` in the command is the file to write.

    A command with a `clock` prints `{"seconds": …}` as JSON: the time from the loaded program to the closed file. One
    without writes the file's content to its standard output, and its time is that of the process.
    """

    name: str
    format: str
    database: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    clock: bool = True
    reader: str = ""
    """How to read the file back, where that is not the format."""
    role: str = "peer"
    """peer, baseline, engine or worker"""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.database, self.format, self.name)

    @property
    def label(self) -> str:
        return f"{self.name} · {self.format}"


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` of work, `whole` seconds of the process, `cpu` seconds of it; in MB the `peak` of resident memory, what
    of it the program had before its work (`loaded`, 0 where it does not tell), and the `size` of the file."""

    seconds: float
    whole: float
    cpu: float
    peak: float
    loaded: float
    size: float


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a file: the rows, and a checksum over their identifying columns."""

    rows: int
    digest: str


def measure(contestant: Contestant, file: Path) -> Run:
    """Run it once. Failed: it did not end well, or left no file."""
    said = file.with_suffix(".said")
    output = said if contestant.clock else file
    command = [part.replace("{file}", str(file)) for part in contestant.command]
    errors = file.with_suffix(".errors")
    with errors.open("wb") as log:
        done = subprocess.run(
            [*LAUNCH, str(output), *command],
            env={**os.environ, **contestant.environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    status, whole, cpu, peak = done.stdout.split()
    if status != b"0" or not file.exists():
        raise ContestantFailed(f"exit status {status.decode()}: {last_line(errors)}")
    told = json.loads(said.read_text().splitlines()[-1]) if contestant.clock else {"seconds": float(whole)}
    loaded = told.get("loaded", 0) / 1024
    return Run(told["seconds"], float(whole), float(cpu), int(peak) / 1024, loaded, file.stat().st_size / 1e6)


def last_line(errors: Path) -> str:
    lines = errors.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing on standard error"


def content(file: Path, reader: str) -> Content:
    """Read the file back in a process of its own, which has the libraries for it."""
    return Content(**json.loads(output_of(PEERS, "-m", "bench.reading", reader, file)))


def output_of(*command: object, environment: Mapping[str, str] | None = None) -> str:
    """What a command prints; its standard error is shown if it fails."""
    done = subprocess.run(
        list(map(str, command)),
        env={**os.environ, **(environment or {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ContestantFailed(f"{' '.join(map(str, command[:4]))} …: {done.stderr.strip()[-2000:]}")
    return done.stdout
