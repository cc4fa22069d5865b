"""Running totals: what the counters of `/metrics` show, true for all processes and across restarts.

Counting a million exports takes a second, and a process that remembers for itself forgets when it ends. So every move
writes its increments in its own transaction, which meets nobody's lock, and the leading ticker folds them into the
totals: added and removed in one transaction, hence counted once, whatever order they were committed in. Reading the
totals costs the same however many exports there are.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models, transaction
from django.db.models import F, Sum

LABEL = ("name", "resource", "format", "detail")
MOST = 500
"""Increments that one transaction takes: few enough to be named in one statement of any database."""


class CounterValue(models.Model):
    """So much of a `name` for a resource, a format and whatever else tells it apart (`detail`)."""

    name = models.CharField(max_length=32)
    resource = models.CharField(max_length=100)
    format = models.CharField(max_length=32)
    detail = models.CharField(max_length=32)
    value = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.resource} {self.format} {self.detail}: {self.value}"


class CounterDelta(CounterValue):
    """Not yet in the totals."""


class Counter(CounterValue):
    """All that was folded so far."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=LABEL, name="exports_one_total_a_name")]


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
    done = 0
    while folded := _aggregate_some():
        done += folded
    return done


@transaction.atomic
def _aggregate_some() -> int:
    some = list(CounterDelta.objects.order_by("id").values_list("id", flat=True)[:MOST])
    taken = CounterDelta.objects.filter(id__in=some)
    for *label, added in list(taken.order_by().values_list(*LABEL).annotate(Sum("value"))):
        one = dict(zip(LABEL, label, strict=True))
        if not Counter.objects.filter(**one).update(value=F("value") + added):
            Counter.objects.create(**one, value=added)
    if taken.delete()[0] != len(some):
        raise AggregatedByAnother
    return len(some)
