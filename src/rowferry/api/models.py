"""Bearer tokens. Only the digest of a token is kept, so that whoever reads the table can use none of them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

SHOWN = 10
"""Characters of a token that lists show, so that its owner can tell it from others."""
USE_NOTED_EVERY = timedelta(minutes=1)


class ApiToken(models.Model):
    """A token that acts for a user until it expires (null = never) or is deleted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rowferry_tokens")
    name = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=SHOWN, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user}"


def issue(user: AbstractBaseUser, name: str = "", expires_at: datetime | None = None) -> str:
    """A new token for this user, in plain text: the only time that anybody sees it."""
    token = f"rf_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(
        user_id=user.pk, name=name, digest=_digest(token), prefix=token[:SHOWN], expires_at=expires_at
    )
    return token


def redeem(token: str) -> ApiToken | None:
    """The token as it is stored, its use noted (to the minute). None: unknown, expired, or of an inactive user."""
    now = timezone.now()
    api_token = ApiToken.objects.select_related("user").filter(digest=_digest(token), user__is_active=True).first()
    if api_token is None or (api_token.expires_at is not None and api_token.expires_at <= now):
        return None
    if api_token.last_used_at is None or api_token.last_used_at <= now - USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=api_token.pk).update(last_used_at=now)
    return api_token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
