"""Marks texts for translation in modules that do not import Django."""

from __future__ import annotations


def gettext_noop(text: str) -> str:
    """The text as it is. `makemessages` collects it by the name of this function, as it does with Django's own."""
    return text
