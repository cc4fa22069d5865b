"""Shorter waits, where a test would otherwise spend its time waiting for what is not its subject."""

from __future__ import annotations

import os
from datetime import timedelta

from rowferry.exports import conf
from rowferry.exports.scheduling import notifications, scheduler
from rowferry.exports.storage import s3


def shorten() -> None:
    """Notify again, lead and send again after seconds; upload in many parts. What these are for stays true on one idle
    machine."""
    scheduler.NOTIFY_INTERVAL = timedelta(seconds=1)
    conf.SHORTEST_LEAD = timedelta(seconds=3)
    scheduler.SELDOM_EVERY = int(os.environ.get("CHAOS_SELDOM", "3"))
    notifications.SHORTEST_WAIT = timedelta(seconds=2)
    s3.PART_SIZE = 16 * 1024
