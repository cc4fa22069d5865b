"""The hidden key of a form that orders an export: a form that is sent twice orders once.

The script of the page gives the form a new key when the cookie says that the old one was answered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import get_random_string

FIELD = "order_key"
COOKIE = "rowferry_answered"
COOKIE_SECONDS = 60


def new_key() -> str:
    return get_random_string(22)


def idempotency_key(request: HttpRequest, body: Mapping[str, Any]) -> str | None:
    """The engine's key for this form and all that it says. None: the form has none, and each time counts."""
    key = request.POST.get(FIELD)
    if not key:
        return None
    said = json.dumps([request.path, key, body], sort_keys=True)
    return f"form-{hashlib.sha256(said.encode()).hexdigest()}"


def mark_answered(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer, with a cookie that tells the page which key it belongs to: a download tells it nothing else."""
    key = request.POST.get(FIELD, "")
    if key.isascii() and key.isalnum():
        response.set_cookie(
            COOKIE, key, max_age=COOKIE_SECONDS, secure=settings.SESSION_COOKIE_SECURE, samesite="Strict"
        )
    return response
