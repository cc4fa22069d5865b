"""Instructions per cell of each sink, counted by valgrind: the same on a busy machine, so that a slowdown shows."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.engine_runs import cells
from bench.measuring import PRODUCT, ROOT, ContestantFailed

ENVIRONMENT = {"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"}
FEW, MANY = 1, 5
"""Blocks: the difference of the two counts leaves out what starting and closing cost."""
COLLECTED = re.compile(r"Collected\s*:\s*(\d+)")


def measure_formats(formats: Sequence[str]) -> dict[str, float | None]:
    """Instructions per cell by format. Two counts at a time: what is counted does not depend on who else runs."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(formats, pool.map(measure_format, formats), strict=True))


def measure_format(format_name: str) -> float | None:
    """None where there is no valgrind. The first run only leaves the compiled modules that the others then find."""
    if not shutil.which("valgrind"):
        return None
    subprocess.run(command(format_name, FEW), env=ENVIRONMENT, cwd=ROOT, check=True)
    more = count_instructions(format_name, MANY) - count_instructions(format_name, FEW)
    return more / ((MANY - FEW) * cells.ROWS * len(cells.COLUMNS))


def count_instructions(format_name: str, blocks: int) -> int:
    """Instructions of the whole process that writes so many blocks."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*valgrind, *command(format_name, blocks)],
        env=ENVIRONMENT,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = COLLECTED.search(done.stderr)
    if not found:
        raise ContestantFailed(f"valgrind said nothing of instructions: {done.stderr[-500:]}")
    return int(found[1])


def command(format_name: str, blocks: int) -> list[str]:
    return [str(PRODUCT), "-m", "bench.engine_runs.cells", format_name, str(blocks)]
