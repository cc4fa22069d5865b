"""What Django raises when an installation is not ready, as sentences that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, SystemCheckError
from django.db import DatabaseError

SENTENCES: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (SystemCheckError, str),
    (CommandError, str),
    (ImproperlyConfigured, lambda error: f"The settings are wrong: {error}"),
    (DatabaseError, lambda error: f"The database refuses: {error}. Has `rowferry migrate` been run?"),
)


def error_sentences(error: Exception) -> Iterator[str]:
    """The sentence for an error, if it is one that can be expected."""
    for error_class, describe in SENTENCES:
        if isinstance(error, error_class):
            yield f"rowferry: {describe(error)}"
            return
