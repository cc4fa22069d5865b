"""Places, one inside the other."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr


class Location(models.Model):
    """A place in a tree: region, town, building, room.

    `path` holds the ids of all places around it and its own, as "/1/5/9/", so that "all in building 5" is one LIKE.
    `save` keeps it right, for all places below one that moves too; `bulk_create` and `update` do not.
    """

    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=255, default="", editable=False, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "name"], name="location_once_per_parent")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it and place it in the tree; ValidationError, and nothing stored, if it would lie inside itself."""
        with transaction.atomic():
            _lock_tree()
            before = Location.objects.filter(pk=self.pk).values_list("path", flat=True).first() or ""
            super().save(*args, **kwargs)
            self._place(before)

    def clean(self) -> None:
        self._refuse_circle(self.parent.path if self.parent else "")

    def _place(self, before: str) -> None:
        """Read the parent from the row, not from memory: `update_fields` may have left it out."""
        stored = Location.objects.filter(pk=self.pk)
        around = stored.values_list("parent__path", flat=True).get() or "/"
        self._refuse_circle(around)
        self.path = f"{around}{self.pk}/"
        stored.update(path=self.path)
        if before and before != self.path:
            moved = Concat(Value(self.path), Substr("path", len(before) + 1))
            Location.objects.filter(path__startswith=before).exclude(pk=self.pk).update(path=moved)

    def _refuse_circle(self, around: str) -> None:
        if self.pk is not None and f"/{self.pk}/" in around:
            raise ValidationError({"parent": [f"{self.name} cannot lie inside itself."]})


def _lock_tree() -> None:
    """The outermost rows are the lock of the tree: of two moves at once, the second reads what the first wrote."""
    list(Location.objects.select_for_update().filter(parent=None).order_by("pk").values_list("pk"))
