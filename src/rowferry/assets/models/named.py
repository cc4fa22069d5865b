"""Small tables of names that bigger ones point at."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models


class Named(models.Model):
    """A row that is its name: a status, a manufacturer, a priority."""

    name = models.CharField(max_length=100, unique=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


def ids_by_name(model: type[Named], names: Iterable[str]) -> dict[str, int]:
    """The key of each name, in the order given; names that are missing are added in that order."""
    return {name: model._default_manager.get_or_create(name=name)[0].pk for name in names}
