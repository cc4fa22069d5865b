"""Where files live: one file of code a kind of storage, chosen by the scheme of STORAGE_URL."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from rowferry.exports.storage.interface import Stage, Storage, StoredFile

__all__ = ["Stage", "Storage", "StoredFile", "storage"]

SCHEMES = {"file": "folder", "s3": "s3"}
"""The module of each scheme, imported when it is asked for: it may need a library that is not installed."""


def storage() -> Storage:
    """The storage that STORAGE_URL names."""
    return _storage(settings.STORAGE_URL)


@cache
def _storage(url: str) -> Storage:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ImproperlyConfigured(
            f"STORAGE_URL: {parts.scheme!r} is not known; give file:///folder or s3://bucket/prefix."
        )
    instance: Storage = import_module(f"{__name__}.{SCHEMES[parts.scheme]}").from_url(parts)
    return instance
