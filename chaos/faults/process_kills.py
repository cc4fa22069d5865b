"""Figures 1 and 2: processes are killed and paused while people order and fetch."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial

from tests.services import mariadb, postgresql, rabbitmq, redis

from chaos import checker
from chaos.checker import Verdict
from chaos.installation import LEASE, PAUSE, Installation, create_installation
from chaos.result import Figure, percentile
from chaos.workloads.orders import ExportWorkload
from rowferry.exports.models import Attempt, Status

ROWS = 20_000
PACE = "0.05"
"""Seconds that each of the ten blocks of a file takes longer."""
POINTS = (
    "after_insert_before_commit",
    "after_commit_before_notify",
    "after_claim",
    "mid_rows",
    "before_fsync",
    "after_rename_before_commit",
    "after_commit_before_ack",
    "mail_after_smtp_before_mark",
    "during_scheduler_run",
)
SLOWEST = 20.0
"""Seconds that the next act waits for orders, at most."""
LONGEST = 400.0
"""Seconds after which a plan ends, finished or not."""
RECOVERY = LEASE + 15


@dataclass(frozen=True, slots=True)
class Plan:
    """At least so many orders, kills and pauses; `every` seconds there is one of the latter two."""

    orders: int
    kills: int
    pauses: int
    every: float

    @property
    def orders_per_fault(self) -> float:
        """Faults follow the orders, not the clock: on a busy machine there would be no export to hit."""
        return self.orders / (self.kills + self.pauses)


FULL, QUICK = Plan(200, 60, 15, 1.8), Plan(40, 14, 4, 1.8)
EACH, EACH_QUICK = Plan(40, 20, 3, 1.8), Plan(20, 8, 1, 1.8)


@dataclass(slots=True)
class Outcome:
    """The result of a plan. `recoveries`: seconds from a kill to the next try of what was interrupted."""

    verdict: Verdict
    kills: int
    pauses: int
    workload: ExportWorkload
    recoveries: list[float]

    @property
    def passed(self) -> bool:
        return self.verdict.passed and not self.workload.missing and self.workload.error is None

    def __str__(self) -> str:
        workload = self.workload
        kept = f"{len(workload.created)} orders ({workload.retried} retried by hand), {self.kills} kills"
        unhappy = f", {len(workload.missing)} never had" if workload.missing else ""
        broken = f", the client: {workload.error}" if workload.error else ""
        return f"{kept}, {self.pauses} pauses: {self.verdict}{unhappy}{broken}"


class FaultInjector:
    """Chooses whom to hit, from a fixed seed; four times of five somebody at work."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.kills = self.pauses = 0
        self.random = random.Random(1)

    @property
    def total_kills(self) -> int:
        return self.kills + sum(fired.action == "kill" for fired in self.installation.failpoints.list_fired())

    def kill(self) -> None:
        way = self.random.choices(
            (self._kill_pool_process, self._kill_worker, self._kill_support_process, self._arm_failpoint),
            (40, 20, 10, 30),
        )[0]
        way()

    def pause(self) -> None:
        victim = self._choose_busy_process() or self._choose_pool_process()
        if victim:
            self.installation.processes.pause(victim, PAUSE)
            self.pauses += 1

    def _kill_pool_process(self) -> None:
        """One process of a pool."""
        victim = self._choose_busy_process() or self._choose_pool_process()
        if victim:
            self.installation.processes.kill_one(victim)
            self.kills += 1

    def _kill_worker(self) -> None:
        """A worker with its whole pool."""
        self.installation.processes.kill(
            self.random.choice([name for name in self.installation.processes.members if "worker" in name])
        )
        self.kills += 1

    def _kill_support_process(self) -> None:
        """The scheduler or the web server."""
        self.installation.processes.kill(
            self.random.choice([name for name in self.installation.processes.members if "worker" not in name])
        )
        self.kills += 1

    def _arm_failpoint(self) -> None:
        """Whoever comes by a certain moment next."""
        if self.installation.failpoints.count_armed() < 3:
            self.installation.failpoints.arm(self.random.choice(POINTS), "kill")

    def _choose_busy_process(self) -> int | None:
        busy = (
            self.installation.exports.filter(status=Status.PROCESSING)
            .exclude(worker="")
            .values_list("worker", flat=True)
        )
        living = self._pool_processes()
        found = [pid for worker in busy if (pid := int(worker.rpartition(":")[2])) in living]
        return self.random.choice(found) if found and self.random.random() < 0.8 else None

    def _choose_pool_process(self) -> int | None:
        living = self._pool_processes()
        return self.random.choice(living) if living else None

    def _pool_processes(self) -> list[int]:
        return [
            pid for name, one in self.installation.processes.members.items() if "worker" in name for pid in one.children
        ]


def run_plan(installation: Installation, plan: Plan) -> Outcome:
    """One plan from the first order to the verdict."""
    installation.start(workers=2, schedulers=2)
    installation.wait_until(lambda: installation.client.request("GET", "/resources"))
    injector = FaultInjector(installation)
    workload = ExportWorkload(installation.client, plan.orders, plan.every / plan.orders_per_fault)
    workload.start()
    deadline = time.monotonic() + LONGEST
    for number, act in enumerate(choose_faults(injector, plan), 1):
        installation.wait_until(partial(workload.has_created, round(number * plan.orders_per_fault)), SLOWEST)
        if time.monotonic() > deadline:
            break
        act()
        installation.wait_until(lambda: False, plan.every / 2)
    workload.may_stop.set()
    installation.failpoints.disarm()
    installation.wait_until(lambda: not workload.is_alive(), 120)
    checker.wait_until_idle(installation)
    verdict = checker.check_installation(installation, workload.created)
    return Outcome(verdict, injector.total_kills, injector.pauses, workload, measure_recoveries(installation))


def choose_faults(injector: FaultInjector, plan: Plan) -> Iterator[Callable[[], None]]:
    """Kills and pauses, mixed, until there were enough of both."""
    while injector.total_kills < plan.kills or injector.pauses < plan.pauses:
        left = plan.kills - injector.total_kills, plan.pauses - injector.pauses
        yield injector.random.choices((injector.kill, injector.pause), [max(0, count) for count in left])[0]


def measure_recoveries(installation: Installation) -> list[float]:
    """Seconds from each kill of a process at work to the next try, or to the end of an export that had no more."""
    found = []
    for lost in Attempt.objects.using(installation.alias).filter(outcome="interrupted").select_related("export"):
        killed = installation.processes.killed_at.get(int(lost.worker.rpartition(":")[2]))
        later = (
            Attempt.objects.using(installation.alias).filter(export_id=lost.export_id, number=lost.number + 1).first()
        )
        until = later.started_at if later else lost.export.completed_at
        if killed and until and lost.started_at.timestamp() <= killed < until.timestamp():
            found.append(until.timestamp() - killed)
    return found


def kill_storm(quick: bool) -> Figure:
    """Figure 1."""
    plan = QUICK if quick else FULL
    with create_installation(ROWS, CHAOS_PACE=PACE) as installation:
        outcome = run_plan(installation, plan)
        served = installation.client.downloads
    enough = outcome.kills >= plan.kills and outcome.pauses >= plan.pauses
    return Figure(
        1,
        "kill-storm",
        "embedded: SQLite and the built-in broker, 3 formats, kills and pauses longer than the lease",
        f"{outcome}; {served} downloads checked during the storm",
        f"≥ {plan.orders} exports, ≥ {plan.kills} kills, ≥ {plan.pauses} pauses; all zeros, attempts ≤ 3",
        outcome.passed and enough and len(outcome.workload.created) >= plan.orders,
    )


Server = Callable[[], AbstractContextManager[str]]
COMBINATIONS: dict[str, tuple[Server | None, Server | None]] = {
    "spool+SQLite": (None, None),
    "Redis+PostgreSQL": (redis, postgresql),
    "RabbitMQ+MariaDB": (rabbitmq, mariadb),
}


def brokers(quick: bool) -> Figure:
    """Figure 2."""
    plan = EACH_QUICK if quick else EACH
    outcomes = {name: run_on_servers(*servers, plan) for name, servers in COMBINATIONS.items()}
    slow = {name: percentile(outcome.recoveries, 0.95) for name, outcome in outcomes.items()}
    told = (
        f"{name}: {one}, recovery p95 {slow[name]:.1f} s of {len(one.recoveries)}" for name, one in outcomes.items()
    )
    sound = all(one.passed and one.kills >= plan.kills and one.recoveries for one in outcomes.values())
    return Figure(
        2,
        "brokers",
        "the same on each pair of broker and database",
        "; ".join(told),
        f"≥ {plan.orders} exports, ≥ {plan.kills} kills each; all zeros; recovery p95 ≤ lease ({LEASE:g} s) + 15 s",
        sound and max(slow.values()) <= RECOVERY,
    )


def run_on_servers(broker: Server | None, database: Server | None, plan: Plan) -> Outcome:
    with ExitStack() as stack:
        named = (("BROKER_URL", broker), ("DATABASE_URL", database))
        settings = {name: stack.enter_context(server()) for name, server in named if server}
        installation = stack.enter_context(create_installation(ROWS, CHAOS_PACE=PACE, **settings))
        return run_plan(installation, plan)
