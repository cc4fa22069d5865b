"""The public keys with which anybody may check the signature of a manifest: no sign-in."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from rowferry.exports.audit import log


@require_safe
def keys(_request: HttpRequest) -> JsonResponse:
    """`/.well-known/rowferry-keys.json`: a JSON Web Key Set."""
    response = JsonResponse(log.public_keys(), content_type="application/jwk-set+json")
    response["Cache-Control"] = "public, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response
