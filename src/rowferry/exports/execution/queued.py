"""One queued export from row to file to notice. The only place that knows the whole order."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import cast

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from structlog.contextvars import bound_contextvars

from rowferry.exports import lifecycle
from rowferry.exports.databases import open_reader
from rowferry.exports.errors import Cancelled, DeadlinePassed, FenceLost, NotPermitted, RowferryError, UnexpectedFault
from rowferry.exports.execution import pipeline
from rowferry.exports.execution.heartbeat import Heartbeat
from rowferry.exports.execution.pipeline import Tally
from rowferry.exports.lifecycle import Claim
from rowferry.exports.models import Export
from rowferry.exports.planning.plan import build_plan
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources.resource import Actor

logger = logging.getLogger(__name__)

TimeIsUp = tuple[type[BaseException], ...]
REPORT_INTERVAL = 0.5
"""Seconds between two looks at the row: progress out, cancel in."""
LOG_EVERY = 2.0


def worker_name(pid: int | None = None) -> str:
    """Host and process (this one, if none is named), as the log shows them."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"


def run_next(time_is_up: TimeIsUp = ()) -> Export | None:
    """Do the export whose turn it is. None = there was none. Its own failures end in its row and are not raised."""
    claim = lifecycle.claim_due(worker_name())
    if claim is None:
        return None
    run(claim, time_is_up)
    return claim.export


def run(claim: Claim, time_is_up: TimeIsUp = ()) -> None:
    """Make the file of a claimed export, and end the try one way or another."""
    about = {"export_id": str(claim.export.pk), "attempt": claim.export.attempt}
    with bound_contextvars(**about), Heartbeat(claim) as heart:
        try:
            _make(claim, heart)
        except Cancelled:
            lifecycle.mark_cancelled(claim, heart.rows)
        except FenceLost:
            logger.warning("Export %s: fence %s was lost; this try publishes nothing.", claim.export.pk, claim.fence)
        except RowferryError as error:
            lifecycle.fail(claim, error, heart.rows)
        except time_is_up:
            lifecycle.fail(claim, DeadlinePassed("It took longer than one try may take."), heart.rows)
        except Exception:
            logger.exception("Export %s failed unexpectedly.", claim.export.pk)
            lifecycle.fail(claim, UnexpectedFault("A fault in the program; it is in the worker's log."), heart.rows)


def person_of(export: Export) -> Actor:
    """Whose rights hold. An export whose owner was removed may not run; the operator's own have no owner."""
    if export.user_id is not None:
        return cast("AbstractUser", get_user_model()._default_manager.get(pk=export.user_id))
    if export.user_name:
        raise NotPermitted(f"The account of {export.user_name} is gone.")
    return None


def _make(claim: Claim, heart: Heartbeat) -> None:
    started = time.monotonic()
    plan = build_plan(ExportSpec.from_stored(claim.export.spec), person_of(claim.export))
    with open_reader(plan.queryset.db) as reader:
        expected = reader.count(plan.queryset)
        lifecycle.expect(claim, expected)
        conveyor = pipeline.FileBuilder(claim, plan, reader, expected)
        watch = _ProgressReporter(claim, heart, conveyor.expected)
        try:
            for tally in conveyor.rows():
                watch.report(tally)
            lifecycle.complete(claim, conveyor.finish(), milliseconds(started))
        except BaseException as error:
            conveyor.discard(error)
            raise


class _ProgressReporter:
    """Carries progress out and a wish to cancel in, as seldom as will do."""

    def __init__(self, claim: Claim, heart: Heartbeat, total: int) -> None:
        self.claim = claim
        self.heart = heart
        self.total = total
        self.started = self.looked = self.logged = time.monotonic()
        self.step = max(1, total // 10)
        self.next_step = self.step

    def report(self, tally: Tally) -> None:
        """At each batch. Raises what the worker has to stop for."""
        self.heart.rows = tally.rows
        self.heart.check()
        now = time.monotonic()
        if now - self.looked >= REPORT_INTERVAL or not tally.batch:
            self.looked = now
            lifecycle.beat(self.claim, tally.rows)
        if tally.rows + tally.failed >= self.total:
            return  # what is left to say is that it is completed
        if tally.rows >= self.next_step or now - self.logged >= LOG_EVERY:
            self.logged = now
            self.next_step = tally.rows // self.step * self.step + self.step
            lifecycle.progress(
                self.claim,
                tally.rows,
                batch=tally.batch,
                batches=pipeline.batches(self.total),
                duration_ms=milliseconds(self.started),
            )


def milliseconds(started: float) -> int:
    """Since a moment of the monotonic clock."""
    return round((time.monotonic() - started) * 1000)
