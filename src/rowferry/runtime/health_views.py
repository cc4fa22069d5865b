"""What machines ask of an installation: is it alive, is it ready. No sign-in, no session, no host name looked at."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from rowferry.exports.monitoring import health, metrics

NEVER_KEPT = {"Cache-Control": "no-store"}


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all; asks nothing of anybody."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8", headers=NEVER_KEPT)


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 if every check is well, else 503: `{"status", "checks": {name: {ok, value, limit, unit, detail}}}`."""
    results = health.readiness()
    is_ready = all(result.ok for result in results)
    body = {
        "status": "ok" if is_ready else "failing",
        "checks": {result.name: result.as_json() for result in results},
    }
    return JsonResponse(body, status=200 if is_ready else 503, headers=NEVER_KEPT)


FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")
"""What a proxy adds: through one on this machine the whole world would come from this machine."""


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    """The figures of `figures`, for whoever has the token; without a token set, for this machine only."""
    if not _may_see_metrics(request):
        return HttpResponse("For this machine, or with the token of ROWFERRY_METRICS_TOKEN.\n", "text/plain", 403)
    if not health.database_answers():
        return HttpResponse("The database does not answer.\n", "text/plain", 503, headers=NEVER_KEPT)
    return HttpResponse(metrics.page(), content_type=CONTENT_TYPE_LATEST, headers=NEVER_KEPT)


def _may_see_metrics(request: HttpRequest) -> bool:
    token: str = settings.ROWFERRY_METRICS_TOKEN
    if token:
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        return hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())
    return not any(name in request.META for name in FORWARDED) and _is_local(request.META.get("REMOTE_ADDR", ""))


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a socket that is no network's: who is behind it cannot be told
        return False


PROBES: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics_view,
}
"""By path."""
