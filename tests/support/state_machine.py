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
from rowferry.exports.models.counters import Counter, CounterDelta
from rowferry.exports.scheduling import scheduler
from rowferry.exports.storage import Stage, StoredFile, storage
from rowferry.filesystem_broker.folder import Claim as Consumer
from rowferry.filesystem_broker.folder import QueueFolder
from tests.factories.exports import begun, changed, queue_export
from tests.support import invariants

MOST = 6
"""Exports of one life: enough to stand in each other's way."""
MOMENTS = [0.5, 3, 11, 31, 61, 301, 601, 3600, 31 * 86_400]
"""Seconds that may pass: less and more than a heartbeat, a ring, a lease, a time limit, a retention."""
WHICH = st.integers(0, MOST - 1)
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
class Hand:
    """A worker at work: its claim, the file that it writes, and that file once it has its name."""

    claim: Claim
    stage: Stage
    file: StoredFile | None = None

    def discard(self) -> None:
        """What the conveyor does with a try that ended: no row will ever name the file."""
        self.stage.discard()
        manifest.remove(storage(), self.stage.key)


class LogIsFull(Exception):
    """What the log says when it refuses a line."""


@contextmanager
def full_log() -> Any:
    def refuse(**_: Any) -> None:
        raise LogIsFull

    post_save.connect(refuse, sender=ExportLog)
    try:
        yield
    finally:
        post_save.disconnect(refuse, sender=ExportLog)


class Lives(RuleBasedStateMachine):
    """`folder` is the storage's, `bells` the queue of the broker. Counts its steps in `steps`."""

    steps = 0

    def __init__(self, owner: User, folder: Path, bells: QueueFolder) -> None:
        super().__init__()
        self.owner, self.folder, self.bells = owner, folder, bells
        self.hands: list[Hand] = []
        self.claims: list[Claim] = []
        self.leases: dict[Any, tuple[int, Any]] = {}
        """Fence and end of the lease of each export, as they were after the last step."""
        forget_everything(folder, bells)

    # Orders

    @precondition(lambda self: Export.objects.count() < MOST)
    @rule(notify=st.booleans())
    def order(self, notify: bool) -> None:
        queue_export(self.owner, email_notification=notify)

    @precondition(lambda self: Export.objects.count() < MOST)
    @rule(begins=st.booleans())
    def order_in_a_request(self, begins: bool) -> None:
        if begins:
            self._hold(begun(self.owner))
        else:
            changed(queue_export(self.owner), mode=Mode.IMMEDIATE)

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        self._ask(which, tracking.cancel)

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        self._ask(which, tracking.delete)

    @precondition(lambda self: Export.objects.count() < MOST)
    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        self._ask(which, tracking.retry)

    def _ask(self, which: int, door: Callable[[Any, Any], object]) -> None:
        if (export := self._export(which)) is not None:
            with suppress(Conflict):
                door(self.owner, export.pk)

    # Workers

    @rule()
    def take(self) -> None:
        claim = lifecycle.claim_due("a worker")
        if claim is not None:
            self._hold(claim)

    @rule()
    def work(self) -> None:
        """A worker that nothing happens to."""
        queued.run_next()

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def write(self, which: int) -> None:
        hand = self._hand(which)
        if hand.file is None:
            hand.stage.write(b"a row\r\n")

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def beat(self, which: int) -> None:
        self._act(which, lambda hand: lifecycle.beat(hand.claim, 1))

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def show_progress(self, which: int) -> None:
        self._act(which, lambda hand: lifecycle.progress(hand.claim, 1, batch=1, batches=2, duration_ms=3))

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def publish(self, which: int) -> None:
        """The file has its name, and no row speaks of it yet."""
        self._act(which, publish)

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def complete(self, which: int) -> None:
        self._act(which, lambda hand: lifecycle.complete(hand.claim, facts(publish(hand)), 5), ends=True)

    @precondition(lambda self: self.hands)
    @rule(which=WHICH, error=st.sampled_from(FAULTS))
    def fail(self, which: int, error: RowferryError) -> None:
        hand = self._hand(which)
        self.hands.remove(hand)
        lifecycle.fail(hand.claim, error, 1)
        hand.discard()

    @precondition(lambda self: self.hands)
    @rule(which=WHICH)
    def die(self, which: int) -> None:
        """The process is gone; what it wrote stays where it is."""
        hand = self._hand(which)
        self.hands.remove(hand)
        hand.stage._file.close()

    def _act(self, which: int, act: Callable[[Hand], object], *, ends: bool = False) -> None:
        """What execution does around a step of a try."""
        hand = self._hand(which)
        try:
            act(hand)
        except (Cancelled, FenceLost) as stop:
            if isinstance(stop, Cancelled):
                lifecycle.mark_cancelled(hand.claim, 1)
            hand.discard()
            ends = True
        except StorageFault as fault:  # it slept for so long that the scheduler took its part file away
            lifecycle.fail(hand.claim, fault, 1)
            hand.discard()
            ends = True
        if ends:
            self.hands.remove(hand)

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
    def sweep(self) -> None:
        """The scheduler; unlike there, a duty that fails is a failure here."""
        before = self.bells.size()
        for duty in scheduler.OFTEN + scheduler.SELDOM:
            rung = duty()
            if duty is scheduler.ring_due:
                assert self.bells.size() == before + rung  # type: ignore[operator]
        invariants.after_a_sweep(self.owner, self.folder)

    @rule(survives=st.booleans())
    def hear(self, survives: bool) -> None:
        """Somebody takes a message, and acknowledges it or dies."""
        consumer = Consumer(self.bells)
        for name, _ in consumer.take():
            if survives:
                consumer.finish(name)
            break
        (consumer.close if survives else consumer.let_go)()

    @rule()
    def lose_every_message(self) -> None:
        self.bells.purge()

    @precondition(lambda self: self.hands)
    @rule(which=WHICH, whole=st.booleans())
    def move_without_a_log(self, which: int, whole: bool) -> None:
        """A line that cannot be written takes the move back that it belongs to."""
        claim = self._hand(which).claim
        before = Export.objects.filter(pk=claim.export.pk).values().get()
        with full_log(), suppress(LogIsFull, FenceLost, Cancelled):
            if whole:
                lifecycle.complete(claim, facts(StoredFile("none", 1, "ab")), 5)
            else:
                lifecycle.fail(claim, FAULTS[0], 1)
        assert Export.objects.filter(pk=claim.export.pk).values().get() == before

    # Promises

    @invariant()
    def every_promise_holds(self) -> None:
        type(self).steps += 1
        exports = list(Export.objects.all())
        for export in exports:
            invariants.of_one(export, self.folder, self.claims)
            invariants.of_lease(export, self.leases.get(export.pk))
        invariants.of_keys(exports)
        self.leases = {export.pk: (export.fence, export.lease_until) for export in exports}

    def teardown(self) -> None:
        """Everybody dies; then a worker, the scheduler and time are enough for everything to come to an end."""
        while self.hands:
            self.die(0)
        for _ in range(4):
            self.time_passes(601)
            self.sweep()
            while queued.run_next() is not None:
                pass
        self.time_passes(601)
        self.sweep()
        self.every_promise_holds()
        invariants.at_rest(self.folder, self.bells)

    def _export(self, which: int) -> Export | None:
        found = list(Export.objects.order_by("created_at", "id"))
        return found[which % len(found)] if found else None

    def _hand(self, which: int) -> Hand:
        return self.hands[which % len(self.hands)]

    def _hold(self, claim: Claim) -> None:
        self.claims.append(claim)
        self.hands.append(Hand(claim, storage().stage(f"{claim.export.pk}.{claim.fence}.csv")))


def publish(hand: Hand) -> StoredFile:
    if hand.file is None:
        hand.file = hand.stage.publish()
        manifest.keep(storage(), hand.file.key, {})
    return hand.file


def facts(file: StoredFile) -> FileResult:
    return FileResult(file, 1, 0, timezone.now(), {"columns": []})


def forget_everything(folder: Path, bells: QueueFolder) -> None:
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
    for path in (folder, bells.root):
        shutil.rmtree(path, ignore_errors=True)
    bells.make()
