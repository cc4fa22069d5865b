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
            old_path = Location.objects.filter(pk=self.pk).values_list("path", flat=True).first() or ""
            super().save(*args, **kwargs)
            self._update_path(old_path)

    def clean(self) -> None:
        self._reject_cycle(self.parent.path if self.parent else "")

    def _update_path(self, old_path: str) -> None:
        """Read the parent from the row, not from memory: `update_fields` may have left it out."""
        row = Location.objects.filter(pk=self.pk)
        parent_path = row.values_list("parent__path", flat=True).get() or "/"
        self._reject_cycle(parent_path)
        self.path = f"{parent_path}{self.pk}/"
        row.update(path=self.path)
        if old_path and old_path != self.path:
            new_path = Concat(Value(self.path), Substr("path", len(old_path) + 1))
            Location.objects.filter(path__startswith=old_path).exclude(pk=self.pk).update(path=new_path)

    def _reject_cycle(self, parent_path: str) -> None:
        if self.pk is not None and f"/{self.pk}/" in parent_path:
            raise ValidationError({"parent": [f"{self.name} cannot lie inside itself."]})


def _lock_tree() -> None:
    """The outermost rows are the lock of the tree: of two moves at once, the second reads what the first wrote."""
    list(Location.objects.select_for_update().filter(parent=None).order_by("pk").values_list("pk"))
