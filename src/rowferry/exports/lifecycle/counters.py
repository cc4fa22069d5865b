"""Running totals: what the counters of `/metrics` show, true for all processes and across restarts.

Counting a million exports takes a second, and a process that remembers for itself forgets when it ends. So every move
writes its increments in its own transaction, which meets nobody's lock, and the leading scheduler folds them into the
totals: added and removed in one transaction, hence counted once, whatever order they were committed in. Reading the
totals costs the same however many exports there are.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Sum

from rowferry.exports.models.counter import LABEL, Counter, CounterDelta

MAX_DELTAS = 500
"""Increments that one transaction takes: few enough to be named in one statement of any database."""


def count(resource: str, format: str, amounts: Iterable[tuple[str, str, int]]) -> None:  # noqa: A002
    """Add (name, detail, value) of one export, in the caller's transaction. Zeros are left out."""
    CounterDelta.objects.bulk_create(
        CounterDelta(name=name, resource=resource, format=format, detail=detail, value=value)
        for name, detail, value in amounts
        if value
    )


class AggregatedByAnother(Exception):
    """Somebody else has folded the same increments meanwhile: this fold must not count."""


def aggregate() -> int:
    """Move what was counted into the totals; how many increments that were."""
    total = 0
    while moved := _aggregate_some():
        total += moved
    return total


@transaction.atomic
def _aggregate_some() -> int:
    delta_ids = list(CounterDelta.objects.order_by("id").values_list("id", flat=True)[:MAX_DELTAS])
    deltas = CounterDelta.objects.filter(id__in=delta_ids)
    for *label, increase in list(deltas.order_by().values_list(*LABEL).annotate(Sum("value"))):
        label_values = dict(zip(LABEL, label, strict=True))
        if not Counter.objects.filter(**label_values).update(value=F("value") + increase):
            Counter.objects.create(**label_values, value=increase)
    if deltas.delete()[0] != len(delta_ids):
        raise AggregatedByAnother
    return len(delta_ids)
