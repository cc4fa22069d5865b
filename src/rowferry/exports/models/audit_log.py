"""What is written down for good: the events of each export, and one anchor a day over all of them.

Rows are only ever inserted. Triggers in the database refuse everything else (see `guards`).
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_noop as _

from rowferry.exports.resources.actor import Identity, identity


class Event(models.TextChoices):
    """What can happen to an export."""

    INITIATED = _("initiated")
    PROCESSING = _("processing")
    PROGRESS = _("progress")
    RETRYING = _("retrying")
    COMPLETED = _("completed")
    FAILED = _("failed")
    CANCELLED = _("cancelled")
    DOWNLOADED = _("downloaded")
    NOTIFIED = _("notified")
    EXPIRED = _("expired")
    DELETED = _("deleted")


class ExportLog(models.Model):
    """One audit event. Only ever inserted; outlives the file and the user, whose name it copies.

    `sequence` counts an export's events from 1. `hash` is made of all the others here and of `previous_hash`, the hash
    of the event before (see `chain`); the last one's number and hash are also in the export's row. `on_behalf_of_…` are
    null where the actor's own rights held, and in events of before there were these columns.
    """

    export = models.ForeignKey("rowferry.Export", on_delete=models.PROTECT, related_name="log", db_index=False)
    event = models.CharField(max_length=16, choices=Event.choices)
    message = models.CharField(max_length=500)
    processed_items = models.BigIntegerField(null=True)
    total_items = models.BigIntegerField(null=True)
    current_batch = models.IntegerField(null=True)
    total_batches = models.IntegerField(null=True)
    duration_ms = models.BigIntegerField(null=True)
    error_message = models.CharField(max_length=2000, blank=True)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=150, blank=True)
    actor_email = models.CharField(max_length=254, blank=True)
    on_behalf_of_id = models.CharField(max_length=64, null=True)
    on_behalf_of_name = models.CharField(max_length=150, null=True)
    on_behalf_of_email = models.CharField(max_length=254, null=True)
    created_at = models.DateTimeField()
    sequence = models.PositiveIntegerField()
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["export", "id"], name="rowferry_log"),
            models.Index(fields=["created_at"], name="rowferry_log_day"),
        ]
        constraints = [models.UniqueConstraint(fields=["export", "sequence"], name="rowferry_unique_log_sequence")]

    def __str__(self) -> str:
        return f"{self.event}: {self.message}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a second save is refused."""
        if not self._state.adding:
            raise TypeError("The log of an export is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Always refused."""
        raise TypeError("The log of an export is append-only.")

    @property
    def actor(self) -> Identity | None:
        """Who acted; None = the program itself."""
        return identity(self.actor_id, self.actor_name, self.actor_email) if self.actor_name else None

    @property
    def on_behalf_of(self) -> Identity | None:
        """The person whose rights held, if that is somebody else than the actor."""
        if not self.on_behalf_of_name:
            return None
        return identity(self.on_behalf_of_id, self.on_behalf_of_name, self.on_behalf_of_email or "")


class AuditAnchor(models.Model):
    """One day (UTC) of the log, over all exports: how far each chain had come that moved, in one hash, and the hash of
    the anchor before."""

    day = models.DateField(primary_key=True)
    chains = models.PositiveIntegerField()
    events = models.PositiveIntegerField()
    heads_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day}: {self.chains} chains, {self.events} events"
