"""`seed_people`: the made-up people that seeded assets and tickets belong to."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from rowferry.assets.people import seed_people


class Command(BaseCommand):
    help = (
        "Adds the two hundred made-up people of the seeded department, where they are missing. None of them can log in."
    )

    def handle(self, *_args: Any, verbosity: int, **_options: Any) -> None:
        people = seed_people()
        if verbosity:
            self.stdout.write(f"{people} made-up people are there.")
