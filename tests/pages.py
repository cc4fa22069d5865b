"""The pages of the documentation, taken apart: their code blocks, code spans and tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CODE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(language: str, *names: str) -> list[str]:
    """The code blocks of one language, of these pages or of all."""
    texts = [page(name) for name in names] if names else [path.read_text() for path in PAGES]
    return [code for text in texts for kind, code in CODE.findall(text) if kind == language]


def spans(text: str) -> list[str]:
    return SPAN.findall(CODE.sub("", text))


def first_cells(name: str) -> dict[str, list[str]]:
    """The further cells of each table row, by what stands as code in its first cell."""
    rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in page(name).splitlines() if line.startswith("| `")]
    return {code: [cell.strip() for cell in rest] for first, *rest in rows for code in SPAN.findall(first)}
