"""What commands print: data on standard output, talk on standard error; for people on a terminal, plainly in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Show = Callable[[str, int, int | None], None]
"""Told of progress: what is going on, how much is done, of how much (None = unknown)."""
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def echo_err(sentence: str) -> None:
    """Talk: not part of the data."""
    typer.echo(sentence, err=True)


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on a terminal; in a pipe one line a row, tabs between, no line for the titles."""
    texts = [[_text(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for row in texts:
            typer.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    table = Table(*titles, header_style="bold")
    for row in texts:
        table.add_row(*map(Text, row))
    Console().print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Name and value, one a line."""
    print_table(("What", "Value"), list(facts.items()))


@contextmanager
def progress() -> Iterator[Show]:
    """A bar on standard error, if that is a terminal; else nothing is shown."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[count]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, count="")
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total, count=_count(done, total)
        )


def size(number: int) -> str:
    """Bytes as people say them: `2.5 MB`."""
    value = float(number)
    for unit in UNITS:
        if value < 1000 or unit == UNITS[-1]:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit takes all")


def _nothing(_what: str, _done: int, _total: int | None) -> None:
    pass


def _count(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
