"""The table that chaos exports: entries of a ledger whose amounts always add up to nothing."""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """An amount on an account. Whoever writes moves an amount from one entry to another, in one transaction."""

    account = models.IntegerField()
    amount = models.BigIntegerField()
    note = models.CharField(max_length=60)

    class Meta:
        app_label = "chaos"
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.account}: {self.amount}"
