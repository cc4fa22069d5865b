"""Polling of an open page: 204 if nothing has changed; without active exports the page stops asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from rowferry.exports import tracking
from rowferry.exports.queue_status import QueueStatus, queue_statuses, workers_stalled
from rowferry.web.decorators import PersonRequest, personal

if TYPE_CHECKING:
    from rowferry.exports.models import Export

ACTIVE = ("pending", "processing")
MOST = 100
"""Exports that one page shows."""


@dataclass(frozen=True)
class ProgressItem:
    """One export as a page shows it."""

    export: Export
    queue_status: QueueStatus

    @property
    def is_active(self) -> bool:
        return self.export.status in ACTIVE


@dataclass(frozen=True)
class ProgressList:
    """Exports, how it stands with them, and whether somebody works. `etag` changes when anything of it does."""

    items: Sequence[ProgressItem]
    stalled: bool

    @property
    def active_items(self) -> list[ProgressItem]:
        return [item for item in self.items if item.is_active]

    @property
    def etag(self) -> str:
        return blake2s(repr([_facts(item) for item in self.items] + [self.stalled]).encode(), digest_size=8).hexdigest()


def build_progress_list(exports: Sequence[Export]) -> ProgressList:
    """At most three queries, and none if nothing of it is active."""
    ahead = queue_statuses(exports)
    items = [ProgressItem(export, ahead.get(export.pk, QueueStatus())) for export in exports]
    return ProgressList(items, any(item.is_active for item in items) and workers_stalled())


@require_safe
@personal
def poll(request: PersonRequest) -> HttpResponse:
    """The parts of the items that changed since `seen`, of the exports with these `id`s. Parts of a page."""
    shown = build_progress_list(tracking.find_many(request.user, _ids(request.GET.getlist("id"))))
    if shown.etag == request.GET.get("seen"):
        return HttpResponse(status=204)
    ended = [item for item in shown.items if not item.is_active]
    if ended and request.GET.get("view") == "one":
        return HttpResponseClientRefresh()
    context = {
        "progress_list": shown,
        "ended": ended,
        "poll": select_active(shown),
        "live": True,
        "view": request.GET.get("view", ""),
    }
    return render(request, "rowferry/progress.html", context)


def select_active(shown: ProgressList) -> ProgressList:
    """What a page asks about from now on: the active ones of all that it shows."""
    return ProgressList(shown.active_items, shown.stalled)


def _ids(texts: list[str]) -> list[UUID]:
    ids = []
    for text in texts[:MOST]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return ids


def _facts(item: ProgressItem) -> tuple[object, ...]:
    export = item.export
    counts = (export.exported_items, export.failed_items, export.attempt)
    state = (export.status, bool(export.worker), bool(export.cancel_requested_at))
    return (export.pk, *state, *counts, item.queue_status.place)
