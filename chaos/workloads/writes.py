"""Somebody who writes into the ledger at full speed: `python -m chaos.workloads.writes SEED FILE`, until killed.

Each transaction keeps the sum of all amounts at nothing: it moves an amount from one entry to another, and now and then
adds a pair of entries or takes such a pair away. FILE holds how many were committed.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from pathlib import Path

import django
from django.db import OperationalError, transaction
from django.db.models import F

REPORT_EVERY = 20
PAUSE = 0.001
"""Seconds between two transactions: SQLite has one lock for all writers, and does not give it to who waited longest."""
PAIRED = 99
"""The account of the entries that come and go in pairs; nobody moves their amounts."""


class Writer:
    """Its choices come from the seed."""

    def __init__(self, seed: int) -> None:
        from chaos.models import Entry

        self.entries = Entry.objects
        self.random = random.Random(seed)
        self.keys = list(self.entries.exclude(account=PAIRED).order_by("id").values_list("id", flat=True))
        self.pairs: deque[list[int]] = deque()

    def write(self) -> None:
        """One transaction."""
        with transaction.atomic():
            self._move_amount()
            if self.random.random() < 0.3:
                self._change_pairs()

    def _move_amount(self) -> None:
        amount, (first, second) = self.random.randint(1, 1000), sorted(self.random.sample(self.keys, 2))
        self.entries.filter(pk=first).update(amount=F("amount") + amount)
        self.entries.filter(pk=second).update(amount=F("amount") - amount)

    def _change_pairs(self) -> None:
        if len(self.pairs) > 50:
            self.entries.filter(pk__in=self.pairs.popleft()).delete()
        amount = self.random.randint(1, 1000)
        pair = [self.entries.create(account=PAIRED, amount=one, note="a pair").pk for one in (amount, -amount)]
        self.pairs.append(pair)


def main(seed: str, file: str) -> None:
    django.setup()
    writer, committed = Writer(int(seed)), 0
    while True:
        try:
            writer.write()
        except OperationalError:  # a deadlock, or a lock that was not had in time: the next one
            writer.pairs.clear()
            continue
        committed += 1
        time.sleep(PAUSE)
        if committed % REPORT_EVERY == 0:
            Path(file).write_text(str(committed))


if __name__ == "__main__":
    main(*sys.argv[1:])
