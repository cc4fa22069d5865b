"""Every ten-thousandth export of a person, remembered, so that any page of a history, is found by an index.

Nothing leaves a history, and behind what is a day old nothing older comes any more. So a person's n-th export, counted
from the oldest, stays the n-th for ever: from the milestone before it, it is at most STEP entries of an index away.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from rowferry.exports.models.export import Export, HistoryCheckpoint

STEP = 10_000
SETTLED = timedelta(days=1)
"""By then the transaction that made an export has ended, whatever the clocks of two machines say."""
MOST_AT_ONCE = 20
"""Of a history that has none yet, so that nobody waits long for the first page."""


def count_exports(mine: QuerySet[Export], person: int) -> int:
    """How many exports there are; on the way new milestones are set. `mine` = the person's history, newest first."""
    last = _before(person)
    total = (last.number if last else 0) + _behind(mine, last).count()
    if total - (last.number if last else 0) > STEP:
        HistoryCheckpoint.objects.bulk_create(_further(mine, person, last), ignore_conflicts=True)
    return total


def keys(mine: QuerySet[Export], person: int, low: int, high: int) -> list[UUID]:
    """The keys of the exports that rank from `low` + 1 to `high`, if the oldest is the first; in that order."""
    mark = _before(person, low)
    start = low - (mark.number if mark else 0)
    return list(_behind(mine, mark).reverse().values_list("pk", flat=True)[start : start + high - low])


def _before(person: int, rank: int | None = None) -> HistoryCheckpoint | None:
    """The last milestone, or the last one up to a rank."""
    up_to = {} if rank is None else {"number__lte": rank}
    return HistoryCheckpoint.objects.filter(user_id=person, **up_to).order_by("-number").first()


def _behind(mine: QuerySet[Export], mark: HistoryCheckpoint | None) -> QuerySet[Export]:
    """What is newer than a milestone."""
    if mark is None:
        return mine
    later = Q(created_at__gt=mark.created_at) | Q(pk__gt=mark.export_id)
    return mine.filter(later, created_at__gte=mark.created_at)


def _further(mine: QuerySet[Export], person: int, last: HistoryCheckpoint | None) -> list[HistoryCheckpoint]:
    """The next milestones, not saved yet."""
    settled = mine.filter(created_at__lt=timezone.now() - SETTLED)
    found: list[HistoryCheckpoint] = []
    while len(found) < MOST_AT_ONCE:
        oldest_first = _behind(settled, last).reverse().values_list("created_at", "pk")
        next_one = list(oldest_first[STEP - 1 : STEP])
        if not next_one:
            break
        ((created_at, export_id),) = next_one
        number = (last.number if last else 0) + STEP
        last = HistoryCheckpoint(user_id=person, number=number, created_at=created_at, export_id=export_id)
        found.append(last)
    return found
