"""The lives of exports as a machine that takes any step at any time: orders, workers that die or wake up late, owners
who change their minds, time that passes, a scheduler, a broker whose messages are lost. After each step the promises
hold.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.signals import post_save
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rowferry.exports import lifecycle, tracking
from rowferry.exports.databases import append_only
from rowferry.exports.errors import (
    Cancelled,
    Conflict,
    FenceLost,
    NotPermitted,
    RowferryError,
    StorageFault,
    UnexpectedFault,
)
from rowferry.exports.execution import queued
from rowferry.exports.integrity import manifest
from rowferry.exports.lifecycle import Claim, FileResult
from rowferry.exports.models import Attempt, AuditAnchor, EmailOutbox, Export, ExportLog, IdempotencyKey, Leader, Mode
from rowferry.exports.models.counter import Counter, CounterDelta
from rowferry.exports.scheduling import scheduler
from rowferry.exports.storage import Stage, StoredFile, storage
from rowferry.filesystem_broker.folder import Claim as Consumer
from rowferry.filesystem_broker.folder import QueueFolder
from tests.factories.exports import begin_export, queue_export, update_export
from tests.support import invariants

MAX_EXPORTS = 6
"""Exports of one life: enough to stand in each other's way."""
MOMENTS = [0.5, 3, 11, 31, 61, 301, 601, 3600, 31 * 86_400]
"""Seconds that may pass: less and more than a heartbeat, a wake-up interval, a lease, a time limit, a retention."""
WHICH = st.integers(0, MAX_EXPORTS - 1)
INSTANTS: dict[Any, tuple[str, ...]] = {
    Export: (
        "created_at",
        "started_at",
        "completed_at",
        "expires_at",
        "lease_until",
        "wakeup_sent_at",
        "cancel_requested_at",
    ),
    EmailOutbox: ("created_at", "next_try_at", "sent_at"),
    Leader: ("lease_until",),
}
FAULTS: tuple[RowferryError, ...] = (UnexpectedFault("A fault."), NotPermitted("No."))


@dataclass(slots=True)
class RunningWorker:
    """A worker at work: its claim, the file that it writes, and that file once it has its name."""

    claim: Claim
    stage: Stage
    file: StoredFile | None = None

    def discard(self) -> None:
        """What the conveyor does with a try that ended: no row will ever name the file."""
        self.stage.discard()
        manifest.remove(storage(), self.stage.key)


class LogWriteRefused(Exception):
    """What the log says when it refuses a line."""


@contextmanager
def refuse_log_lines() -> Any:
    def refuse(**_: Any) -> None:
        raise LogWriteRefused

    post_save.connect(refuse, sender=ExportLog)
    try:
        yield
    finally:
        post_save.disconnect(refuse, sender=ExportLog)


class ExportMachine(RuleBasedStateMachine):
    """`folder` is the storage's, `broker_folder` the queue of the broker. Counts its steps in `steps`."""

    steps = 0

    def __init__(self, owner: User, folder: Path, broker_folder: QueueFolder) -> None:
        super().__init__()
        self.owner, self.folder, self.broker_folder = owner, folder, broker_folder
        self.workers: list[RunningWorker] = []
        self.claims: list[Claim] = []
        self.leases: dict[Any, tuple[int, Any]] = {}
        """Fence and end of the lease of each export, as they were after the last step."""
        reset_installation(folder, broker_folder)

    # Orders

    @precondition(lambda self: Export.objects.count() < MAX_EXPORTS)
    @rule(notify=st.booleans())
    def create_queued_export(self, notify: bool) -> None:
        queue_export(self.owner, email_notification=notify)

    @precondition(lambda self: Export.objects.count() < MAX_EXPORTS)
    @rule(begins=st.booleans())
    def create_export_in_request(self, begins: bool) -> None:
        if begins:
            self._add_worker(begin_export(self.owner))
        else:
            update_export(queue_export(self.owner), mode=Mode.IMMEDIATE)

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        self._call_as_owner(which, tracking.cancel)

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        self._call_as_owner(which, tracking.delete)

    @precondition(lambda self: Export.objects.count() < MAX_EXPORTS)
    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        self._call_as_owner(which, tracking.retry)

    def _call_as_owner(self, which: int, action: Callable[[Any, Any], object]) -> None:
        if (export := self._export(which)) is not None:
            with suppress(Conflict):
                action(self.owner, export.pk)

    # Workers

    @rule()
    def claim(self) -> None:
        claim = lifecycle.claim_due("a worker")
        if claim is not None:
            self._add_worker(claim)

    @rule()
    def work(self) -> None:
        """A worker that nothing happens to."""
        queued.run_next()

    @precondition(lambda self: self.workers)
    @rule(which=WHICH)
    def write(self, which: int) -> None:
        worker = self._worker_at(which)
        if worker.file is None:
            worker.stage.write(b"a row\r\n")

    @precondition(lambda self: self.workers)
    @rule(which=WHICH)
    def beat(self, which: int) -> None:
        self._act(which, lambda worker: lifecycle.beat(worker.claim, 1))

    @precondition(lambda self: self.workers)
    @rule(which=WHICH)
    def show_progress(self, which: int) -> None:
        self._act(which, lambda worker: lifecycle.progress(worker.claim, 1, batch=1, batches=2, duration_ms=3))

    @precondition(lambda self: self.workers)
    @rule(which=WHICH)
    def publish(self, which: int) -> None:
        """The file has its name, and no row speaks of it yet."""
        self._act(which, publish)

    @precondition(lambda self: self.workers)
    @rule(which=WHICH)
    def complete(self, which: int) -> None:
        self._act(which, lambda worker: lifecycle.complete(worker.claim, file_result(publish(worker)), 5), ends=True)

    @precondition(lambda self: self.workers)
    @rule(which=WHICH, error=st.sampled_from(FAULTS))
    def fail(self, which: int, error: RowferryError) -> None:
        worker = self._worker_at(which)
        self.workers.remove(worker)
        lifecycle.fail(worker.claim, error, 1)
        worker.discard()

    @precondition(lambda self: self.workers)
    @rule(which=WHICH)
    def crash(self, which: int) -> None:
        """The process is gone; what it wrote stays where it is."""
        worker = self._worker_at(which)
        self.workers.remove(worker)
        worker.stage._file.close()

    def _act(self, which: int, act: Callable[[RunningWorker], object], *, ends: bool = False) -> None:
        """What execution does around a step of a try."""
        worker = self._worker_at(which)
        try:
            act(worker)
        except (Cancelled, FenceLost) as stop:
            if isinstance(stop, Cancelled):
                lifecycle.mark_cancelled(worker.claim, 1)
            worker.discard()
            ends = True
        except StorageFault as fault:  # it slept for so long that the scheduler took its part file away
            lifecycle.fail(worker.claim, fault, 1)
            worker.discard()
            ends = True
        if ends:
            self.workers.remove(worker)

    # What happens by itself

    @rule(seconds=st.sampled_from(MOMENTS))
    def time_passes(self, seconds: float) -> None:
        """Every instant in every row, and of every file, moves into the past."""
        span = timedelta(seconds=seconds)
        for model, fields in INSTANTS.items():
            model.objects.update(**{name: F(name) - span for name in fields})
        for path in self.folder.glob("*"):
            written = path.stat().st_mtime - seconds
            os.utime(path, (written, written))
        self.leases = {key: (fence, lease and lease - span) for key, (fence, lease) in self.leases.items()}

    @rule()
    def run_scheduler(self) -> None:
        """The scheduler; unlike there, a duty that fails is a failure here."""
        before = self.broker_folder.size()
        for duty in scheduler.OFTEN + scheduler.SELDOM:
            result = duty()
            if duty is scheduler.notify_due:
                assert self.broker_folder.size() == before + result  # type: ignore[operator]
        invariants.after_a_round(self.owner, self.folder)

    @rule(survives=st.booleans())
    def hear(self, survives: bool) -> None:
        """Somebody takes a message, and acknowledges it or dies."""
        consumer = Consumer(self.broker_folder)
        for name, _ in consumer.take():
            if survives:
                consumer.finish(name)
            break
        (consumer.close if survives else consumer.release_lock)()

    @rule()
    def lose_every_message(self) -> None:
        self.broker_folder.purge()

    @precondition(lambda self: self.workers)
    @rule(which=WHICH, whole=st.booleans())
    def transition_without_log(self, which: int, whole: bool) -> None:
        """A line that cannot be written takes the move back that it belongs to."""
        claim = self._worker_at(which).claim
        before = Export.objects.filter(pk=claim.export.pk).values().get()
        with refuse_log_lines(), suppress(LogWriteRefused, FenceLost, Cancelled):
            if whole:
                lifecycle.complete(claim, file_result(StoredFile("none", 1, "ab")), 5)
            else:
                lifecycle.fail(claim, FAULTS[0], 1)
        assert Export.objects.filter(pk=claim.export.pk).values().get() == before

    # Promises

    @invariant()
    def check_every_invariant(self) -> None:
        type(self).steps += 1
        exports = list(Export.objects.all())
        for export in exports:
            invariants.check_export(export, self.folder, self.claims)
            invariants.check_lease(export, self.leases.get(export.pk))
        invariants.check_file_keys(exports)
        self.leases = {export.pk: (export.fence, export.lease_until) for export in exports}

    def teardown(self) -> None:
        """Everybody dies; then a worker, the scheduler and time are enough for everything to come to an end."""
        while self.workers:
            self.crash(0)
        for _ in range(4):
            self.time_passes(601)
            self.run_scheduler()
            while queued.run_next() is not None:
                pass
        self.time_passes(601)
        self.run_scheduler()
        self.check_every_invariant()
        invariants.check_at_rest(self.folder, self.broker_folder)

    def _export(self, which: int) -> Export | None:
        found = list(Export.objects.order_by("created_at", "id"))
        return found[which % len(found)] if found else None

    def _worker_at(self, which: int) -> RunningWorker:
        return self.workers[which % len(self.workers)]

    def _add_worker(self, claim: Claim) -> None:
        self.claims.append(claim)
        self.workers.append(RunningWorker(claim, storage().stage(f"{claim.export.pk}.{claim.fence}.csv")))


def publish(worker: RunningWorker) -> StoredFile:
    if worker.file is None:
        worker.file = worker.stage.publish()
        manifest.write(storage(), worker.file.key, {})
    return worker.file


def file_result(file: StoredFile) -> FileResult:
    return FileResult(file, 1, 0, timezone.now(), {"columns": []})


def reset_installation(folder: Path, broker_folder: QueueFolder) -> None:
    """An installation on its first day."""
    Export.objects.update(retry_of=None)
    with append_only.triggers_disabled(connection):
        for model in (
            IdempotencyKey,
            Attempt,
            EmailOutbox,
            ExportLog,
            AuditAnchor,
            CounterDelta,
            Counter,
            Export,
            Leader,
        ):
            model._default_manager.all().delete()
    for path in (folder, broker_folder.root):
        shutil.rmtree(path, ignore_errors=True)
    broker_folder.make()
