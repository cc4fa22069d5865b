"""What a page that is open asks again and again: has anything moved? Nothing moved = 204; nothing moves = the end."""

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

MOVING = ("pending", "processing")
MOST = 100
"""Exports that one page shows."""


@dataclass(frozen=True)
class ProgressItem:
    """One export as a page shows it."""

    export: Export
    outlook: QueueStatus

    @property
    def moves(self) -> bool:
        return self.export.status in MOVING


@dataclass(frozen=True)
class ProgressList:
    """Exports, how it stands with them, and whether somebody works. `etag` changes when anything of it does."""

    cards: Sequence[ProgressItem]
    stalled: bool

    @property
    def moving(self) -> list[ProgressItem]:
        return [card for card in self.cards if card.moves]

    @property
    def etag(self) -> str:
        return blake2s(repr([_facts(card) for card in self.cards] + [self.stalled]).encode(), digest_size=8).hexdigest()


def board(exports: Sequence[Export]) -> ProgressList:
    """At most three queries, and none if nothing of it moves."""
    ahead = queue_statuses(exports)
    cards = [ProgressItem(export, ahead.get(export.pk, QueueStatus())) for export in exports]
    return ProgressList(cards, any(card.moves for card in cards) and workers_stalled())


@require_safe
@personal
def poll(request: PersonRequest) -> HttpResponse:
    """The parts of the cards that moved since `seen`, of the exports with these `id`s. Parts of a page."""
    now = board(tracking.several(request.user, _ids(request.GET.getlist("id"))))
    if now.etag == request.GET.get("seen"):
        return HttpResponse(status=204)
    ended = [card for card in now.cards if not card.moves]
    if ended and request.GET.get("view") == "one":
        return HttpResponseClientRefresh()
    context = {
        "board": now,
        "ended": ended,
        "rest": still_moving(now),
        "live": True,
        "view": request.GET.get("view", ""),
    }
    return render(request, "rowferry/progress.html", context)


def still_moving(shown: ProgressList) -> ProgressList:
    """What a page asks about from now on: what moves of all that it shows."""
    return ProgressList(shown.moving, shown.stalled)


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts[:MOST]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _facts(card: ProgressItem) -> tuple[object, ...]:
    export = card.export
    counts = (export.exported_items, export.failed_items, export.attempt)
    state = (export.status, bool(export.worker), bool(export.cancel_requested_at))
    return (export.pk, *state, *counts, card.outlook.place)
