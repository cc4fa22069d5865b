"""Instructions per cell of each sink, counted by valgrind: the same on a busy machine, so that a slowdown shows."""

from __future__ import annotations

import re
import shutil
import subprocess

from bench.inside import cells
from bench.measuring import PRODUCT, ROOT, Failed

FEW, MANY = 1, 5
"""Blocks: the difference of the two counts leaves out what starting and closing cost."""
COLLECTED = re.compile(r"Collected\s*:\s*(\d+)")


def per_cell(format_name: str) -> float | None:
    """None where there is no valgrind."""
    if not shutil.which("valgrind"):
        return None
    more = counted(format_name, MANY) - counted(format_name, FEW)
    return more / ((MANY - FEW) * cells.ROWS * len(cells.COLUMNS))


def counted(format_name: str, blocks: int) -> int:
    """Instructions of the whole process that writes so many blocks."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*valgrind, str(PRODUCT), "-m", "bench.inside.cells", format_name, str(blocks)],
        env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = COLLECTED.search(done.stderr)
    if not found:
        raise Failed(f"valgrind said nothing of instructions: {done.stderr[-500:]}")
    return int(found[1])
