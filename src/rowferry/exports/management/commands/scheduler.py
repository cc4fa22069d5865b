"""`scheduler`: the scheduler's own process. Several may run; one of them leads."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rowferry.exports.scheduling import scheduler


class Command(BaseCommand):
    help = "Notifies workers, takes back, retries, sends mail, expires and tidies, until it is told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, then end.")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["once"]:
            scheduler.run_duties()
            return
        stop = threading.Event()

        def handle_signal(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, handle_signal)
        signal.signal(signal.SIGINT, handle_signal)
        scheduler.run(stop.wait)
