"""The table of docs/reliability.md, made of what the commands found."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime

from chaos.result import ROOT, Figure

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"


def write_page(figures: Sequence[Figure]) -> None:
    """Put the table between the marks; what stands around them is written by hand."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{render_table(figures)}\n{END}{after}", encoding="utf-8")


def render_table(figures: Sequence[Figure]) -> str:
    """Where and when, and a row for each figure."""
    lines = [
        f"{datetime.now(UTC).isoformat(timespec='seconds')} · commit {commit()} · {os.cpu_count()} cores",
        "",
        "| # | what is done | found | goal | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in sorted(figures, key=lambda one: one.number):
        cells = (str(one.number), one.what, one.found, one.goal, "reached" if one.met else "**missed**")
        lines.append("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines)


def commit() -> str:
    """This commit's id, with a + if files differ from it."""
    known = run_git("rev-parse", "--short", "HEAD") or "unknown"
    return known + ("+" if run_git("status", "--porcelain", "--untracked-files=no") else "")


def run_git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
