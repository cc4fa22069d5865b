"""How a command ends that cannot do what it was told: a sentence on standard error, exit code 1, no trace.

Exit codes: 0 done; 1 it failed, or the request is wrong; 2 the command line is wrong; 3 it was checked and is not as
it should be; 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from rowferry.exports.errors import RowferryError


class ErrorHandlingGroup(TyperGroup):
    """A group of commands whose expected errors are told and not traced; a bug keeps its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            lines = error_lines(error)
            if not lines:
                raise
            for line in lines:
                typer.echo(line, err=True)
            raise typer.Exit(1) from None


def error_lines(error: Exception) -> list[str]:
    """The lines to print for an error; none for what nobody expected."""
    return list(_error_sentences(error))


def _error_sentences(error: Exception) -> Iterator[str]:
    if isinstance(error, RowferryError):
        yield from _rowferry_error_lines(error)
    elif isinstance(error, (typer.Exit, typer.Abort, BrokenPipeError)):
        return
    elif isinstance(error, OSError):
        yield f"rowferry: {error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    else:
        # Django's errors: looked for only now, since half of the commands never load Django.
        yield from import_module("rowferry.cli.django_errors").error_sentences(error)


def _rowferry_error_lines(error: RowferryError) -> Iterator[str]:
    retry_hint = f" Try again in {error.retry_after} s." if error.retry_after else ""
    yield f"rowferry: {error.detail}{retry_hint}"
    for field, messages in error.errors.items():
        yield from (f"  {field}: {message}" for message in messages if message not in error.detail)
