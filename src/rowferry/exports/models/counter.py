"""Running totals for `/metrics`, and what has not been added to them yet (see `lifecycle.counters`)."""

from __future__ import annotations

from django.db import models

LABEL = ("name", "resource", "format", "detail")


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
        constraints = [models.UniqueConstraint(fields=LABEL, name="rowferry_unique_counter")]
