"""A client's key for a request: the same key and body within a day is the same export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.db.models.functions import Now

from rowferry.exports.errors import InvalidRequest, KeyReused
from rowferry.exports.models import Export, IdempotencyKey

LIFETIME = timedelta(hours=24)
MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Key:
    """The client's key, and the SHA-256 of the request that it stands for."""

    key: str
    digest: str

    @classmethod
    def parse(cls, key: str, body: Mapping[str, Any]) -> Self:
        """InvalidRequest unless the key is 1 to 255 printable ASCII characters."""
        if not (0 < len(key) <= MAX_LENGTH and key.isascii() and key.isprintable()):
            raise InvalidRequest.field("Idempotency-Key", f"Must be 1 to {MAX_LENGTH} printable ASCII characters.")
        return cls(key, hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest())


def find(person: AbstractUser, key: Key) -> Export | None:
    """The export that this key has made. KeyReused: from another request."""
    stored_key = (
        IdempotencyKey.objects.filter(user_id=person.pk, key=key.key, created_at__gt=Now() - LIFETIME)
        .select_related("export")
        .first()
    )
    if stored_key is None:
        return None
    if stored_key.digest != key.digest:
        raise KeyReused("This Idempotency-Key came with another request before: give each request a key of its own.")
    return stored_key.export


def keep(person: AbstractUser, key: Key, export: Export) -> None:
    """Remember the key. IntegrityError: a request at the same moment was quicker."""
    IdempotencyKey.objects.filter(user_id=person.pk, key=key.key, created_at__lte=Now() - LIFETIME).delete()
    IdempotencyKey.objects.create(user_id=person.pk, key=key.key, digest=key.digest, export=export, created_at=Now())


def tidy() -> int:
    """Forget keys whose day is over; how many."""
    return IdempotencyKey.objects.filter(created_at__lte=Now() - LIFETIME).delete()[0]
