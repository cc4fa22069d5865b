"""`cleanup`: by hand what the scheduler does by itself: expired files, orphans, parts."""

from typing import Any

from django.core.management.base import BaseCommand

from rowferry.exports.limits import idempotency
from rowferry.exports.scheduling import scheduler


class Command(BaseCommand):
    help = "Removes the files of expired exports, and files that no export needs."

    def handle(self, *_: Any, **__: Any) -> None:
        expired = 0
        while count := scheduler.expire():
            expired += count
        ended = scheduler.end_abandoned() + scheduler.end_unstarted()
        removed = scheduler.tidy()
        idempotency.tidy()
        self.stdout.write(f"{expired} expired, {ended} abandoned exports ended, {removed} needless files removed.")
