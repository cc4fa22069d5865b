"""The doctor's question whether a worker is running; it belongs to no export."""

from __future__ import annotations

from uuid import uuid4

from django.db import models


def nonce() -> str:
    """An id that no other ping has."""
    return uuid4().hex


class WorkerPing(models.Model):
    """One question to the workers, kept for as long as somebody waits for the answer."""

    id = models.CharField(max_length=32, primary_key=True, default=nonce)
    worker = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.id}: {self.worker or 'no answer'}"
