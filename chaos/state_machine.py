"""Figure 12: the state machine of the tests, for ten thousand steps at random."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from chaos.result import ROOT, Figure

TEST = "tests/exports/lifecycle/test_state_machine.py"
PARALLEL_RUNS = 2
"""Runs at the same time, each with choices and a database of its own: a run keeps one core busy."""


def state_machine(quick: bool) -> Figure:
    """Figure 12."""
    steps = 1_000 if quick else 10_000
    with ThreadPoolExecutor(PARALLEL_RUNS) as pool:
        runs = list(pool.map(run, [steps // PARALLEL_RUNS] * PARALLEL_RUNS))
    taken = sum(count_steps(done.stdout) for done in runs)
    failed = [done for done in runs if done.returncode]
    broken = [find_failure(done.stdout, done.stderr) for done in failed]
    sys.stderr.writelines(done.stdout + done.stderr for done in failed)
    return Figure(
        12,
        "state-machine",
        "orders, workers that die or wake late, time, scheduler runs and lost messages in any order",
        f"{taken:,} steps, {'; '.join(broken) or '0 violations'}",
        f"{steps:,} steps, 12 invariants, 0 violations",
        not broken and taken >= steps,
    )


def run(steps: int) -> subprocess.CompletedProcess[str]:
    settings = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--capture=no", "-q", "--tb=short", "-p", "no:cacheprovider", TEST],
        cwd=ROOT,
        env={**settings, "STATE_MACHINE_STEPS": str(steps)},
        capture_output=True,
        text=True,
        check=False,
    )


def count_steps(said: str) -> int:
    """How many steps a run says it has taken."""
    told = re.search(r"steps: (\d+)", said)
    return int(told[1]) if told else 0


def find_failure(said: str, errors: str) -> str:
    """The first violation, in whatever frame hypothesis puts it; of a run that was broken off, what it said last."""
    broken = re.findall(r"^(E  .*)$", said, re.MULTILINE) or re.findall(
        r"^[\s|+]+([\w.]*Error\b.*)$", said, re.MULTILINE
    )
    last = [line for line in (said + errors).splitlines() if line.strip()]
    return f"VIOLATED {broken[0]}" if broken else f"BROKEN OFF {last[-1:]}"
