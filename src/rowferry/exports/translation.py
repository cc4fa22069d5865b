"""Texts in modules that do not import Django: marked for translation, or in English with a count."""

from __future__ import annotations


def gettext_noop(text: str) -> str:
    """The text as it is. `makemessages` collects it by the name of this function, as it does with Django's own."""
    return text


def count_of(number: int, noun: str) -> str:
    """`1 row`, `12,431 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
