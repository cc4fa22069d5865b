"""`seed_assets`: a realistic inventory of any size."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rowferry.assets.seeding import PREFIX, seed_assets


class Command(BaseCommand):
    help = (
        "Adds N made-up assets, with the people, places and manufacturers that they need. The same seed makes "
        "the same rows. Run again, it adds N more: their tags go on after the highest there is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--assets", type=int, default=100_000, metavar="N", help="how many (default 100000)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="any whole number (default 1)")

    def handle(self, *_args: Any, assets: int, seed: int, **_options: Any) -> None:
        if assets < 0:
            raise CommandError(f"--assets is {assets}: it must not be below zero.")
        numbers = seed_assets(assets, seed)
        last = f", up to {PREFIX}{numbers[-1]:07d}" if numbers else ""
        self.stdout.write(f"{assets:,} assets added{last}.")
