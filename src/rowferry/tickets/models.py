"""What people ask the department for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from rowferry.assets.models import Named


class TicketStatus(Named):
    """How far the work is: new, waiting, closed."""

    class Meta:
        verbose_name_plural = "ticket statuses"


class TicketPriority(Named):
    """How soon it is needed."""

    class Meta:
        verbose_name_plural = "ticket priorities"


class TicketType(Named):
    """What is asked for: a repair, an access right, a question."""


class Ticket(models.Model):
    """One request to the department. It outlives the accounts of the people in it.

    Every field that a list is narrowed or sorted by leads an index, but `description`, which is too long for one. Those
    with a handful of values go on with `created_at`, because they narrow little without a date.
    """

    ticket_code = models.CharField(max_length=50, unique=True)
    subject = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    status = models.ForeignKey(TicketStatus, models.PROTECT, related_name="tickets", db_index=False)
    priority = models.ForeignKey(TicketPriority, models.PROTECT, related_name="tickets", db_index=False)
    type = models.ForeignKey(TicketType, models.PROTECT, related_name="tickets", db_index=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_tickets"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="created_tickets")
    is_open = models.BooleanField("open", default=True)
    is_resolved = models.BooleanField("resolved", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_date = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "created_at"], name="ticket_by_status"),
            models.Index(fields=["priority", "created_at"], name="ticket_by_priority"),
            models.Index(fields=["type", "created_at"], name="ticket_by_type"),
            models.Index(fields=["is_open", "created_at"], name="ticket_by_open"),
            models.Index(fields=["is_resolved", "created_at"], name="ticket_by_resolved"),
            models.Index(fields=["subject"], name="ticket_by_subject"),
            models.Index(fields=["created_at"], name="ticket_by_created"),
            models.Index(fields=["due_date"], name="ticket_by_due"),
            models.Index(fields=["updated_at"], name="ticket_by_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_code} {self.subject}"
