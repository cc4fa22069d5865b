"""`seed_tickets`: a realistic help desk of any size."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rowferry.tickets.seeding import PREFIX, seed_tickets


class Command(BaseCommand):
    help = (
        "Adds N made-up tickets, with the people that they need. The same seed makes the same rows. "
        "Run again, it adds N more: their codes go on after the highest there is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, default=50_000, metavar="N", help="how many (default 50000)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="any whole number (default 1)")

    def handle(self, *_args: Any, tickets: int, seed: int, **_options: Any) -> None:
        if tickets < 0:
            raise CommandError(f"--tickets is {tickets}: it must not be below zero.")
        numbers = seed_tickets(tickets, seed)
        last = f", up to {PREFIX}{numbers[-1]:07d}" if numbers else ""
        self.stdout.write(f"{tickets:,} tickets added{last}.")
