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
from rowferry.exports.resources.actor import Person

logger = logging.getLogger(__name__)

TimeoutErrors = tuple[type[BaseException], ...]
REPORT_INTERVAL = 0.5
"""Seconds between two looks at the row: progress out, cancel in."""
LOG_EVERY = 2.0


def worker_name(pid: int | None = None) -> str:
    """Host and process (this one, if none is named), as the log shows them."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"


def run_next(timeout_errors: TimeoutErrors = ()) -> Export | None:
    """Do the export whose turn it is. None = there was none. Its own failures end in its row and are not raised."""
    claim = lifecycle.claim_due(worker_name())
    if claim is None:
        return None
    run(claim, timeout_errors)
    return claim.export


def run(claim: Claim, timeout_errors: TimeoutErrors = ()) -> None:
    """Make the file of a claimed export, and end the try one way or another."""
    log_context = {"export_id": str(claim.export.pk), "attempt": claim.export.attempt}
    with bound_contextvars(**log_context), Heartbeat(claim) as heartbeat:
        try:
            _build_file(claim, heartbeat)
        except Cancelled:
            lifecycle.mark_cancelled(claim, heartbeat.rows)
        except FenceLost:
            logger.warning("Export %s: fence %s was lost; this try publishes nothing.", claim.export.pk, claim.fence)
        except RowferryError as error:
            lifecycle.fail(claim, error, heartbeat.rows)
        except timeout_errors:
            lifecycle.fail(claim, DeadlinePassed("It took longer than one try may take."), heartbeat.rows)
        except Exception:
            logger.exception("Export %s failed unexpectedly.", claim.export.pk)
            lifecycle.fail(claim, UnexpectedFault("A fault in the program stopped the export."), heartbeat.rows)


def owner_of(export: Export) -> Person:
    """Whose rights hold. An export whose owner was removed may not run; the operator's own have no owner."""
    if export.user_id is not None:
        return cast("AbstractUser", get_user_model()._default_manager.get(pk=export.user_id))
    if export.user_name:
        raise NotPermitted(f"The account of {export.user_name} is gone.")
    return None


def _build_file(claim: Claim, heartbeat: Heartbeat) -> None:
    started = time.monotonic()
    plan = build_plan(ExportSpec.from_stored(claim.export.spec), owner_of(claim.export))
    with open_reader(plan.queryset.db, claim.export.connection_context) as reader:
        expected = reader.count(plan.queryset)
        lifecycle.expect(claim, expected)
        builder = pipeline.FileBuilder(claim, plan, reader, expected)
        reporter = _ProgressReporter(claim, heartbeat, builder.expected)
        try:
            for tally in builder.rows():
                reporter.report(tally)
            lifecycle.complete(claim, builder.finish(), milliseconds(started))
        except BaseException as error:
            builder.discard(error)
            raise


class _ProgressReporter:
    """Carries progress out and a wish to cancel in, as seldom as will do."""

    def __init__(self, claim: Claim, heartbeat: Heartbeat, total: int) -> None:
        self.claim = claim
        self.heartbeat = heartbeat
        self.total = total
        self.started = self.last_beat = self.last_logged = time.monotonic()
        self.step = max(1, total // 10)
        self.next_step = self.step

    def report(self, tally: Tally) -> None:
        """At each batch. Raises what the worker has to stop for."""
        self.heartbeat.rows = tally.rows
        self.heartbeat.check()
        now = time.monotonic()
        if now - self.last_beat >= REPORT_INTERVAL or not tally.batch:
            self.last_beat = now
            lifecycle.beat(self.claim, tally.rows)
        if tally.rows + tally.failed >= self.total:
            return  # what is left to say is that it is completed
        if tally.rows >= self.next_step or now - self.last_logged >= LOG_EVERY:
            self.last_logged = now
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
