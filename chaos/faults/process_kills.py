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
from chaos.installation import LEASE, PAUSE, Site, site
from chaos.result import Figure, share
from chaos.workloads.orders import Customer
from rowferry.exports.models import Attempt, Status

ROWS = 20_000
PACE = "0.05"
"""Seconds that each of the ten blocks of a file takes longer."""
POINTS = (
    "after_insert_before_commit",
    "after_commit_before_ring",
    "after_claim",
    "mid_rows",
    "before_fsync",
    "after_rename_before_commit",
    "after_commit_before_ack",
    "mail_after_smtp_before_mark",
    "during_sweep",
)
SLOWEST = 20.0
"""Seconds that the next act waits for orders, at most."""
LONGEST = 400.0
"""Seconds after which a storm ends, whatever it has reached."""
RECOVERY = LEASE + 15


@dataclass(frozen=True, slots=True)
class Plan:
    """At least so many orders, kills and pauses; `every` seconds there is one of the latter two."""

    orders: int
    kills: int
    pauses: int
    every: float

    @property
    def orders_an_act(self) -> float:
        """Sabotage goes with the orders, not with the clock: on a busy machine there would be no export to hit."""
        return self.orders / (self.kills + self.pauses)


FULL, QUICK = Plan(200, 60, 15, 1.8), Plan(40, 14, 4, 1.8)
EACH, EACH_QUICK = Plan(40, 20, 3, 1.8), Plan(20, 8, 1, 1.8)


@dataclass(slots=True)
class Outcome:
    """What a storm came to. `recoveries`: seconds from a kill to the next try of what was interrupted."""

    verdict: Verdict
    kills: int
    pauses: int
    customer: Customer
    recoveries: list[float]

    @property
    def sound(self) -> bool:
        return self.verdict.sound and not self.customer.missing and self.customer.fault is None

    def __str__(self) -> str:
        customer = self.customer
        kept = f"{len(customer.ordered)} orders ({customer.retried} retried by hand), {self.kills} kills"
        unhappy = f", {len(customer.missing)} never had" if customer.missing else ""
        broken = f", the client: {customer.fault}" if customer.fault else ""
        return f"{kept}, {self.pauses} pauses: {self.verdict}{unhappy}{broken}"


class Storm:
    """Chooses whom to hit, from a fixed seed; four times of five somebody at work."""

    def __init__(self, place: Site) -> None:
        self.place = place
        self.kills = self.pauses = 0
        self.random = random.Random(1)

    @property
    def all_kills(self) -> int:
        return self.kills + sum(fired.action == "kill" for fired in self.place.traps.fired())

    def kill(self) -> None:
        way = self.random.choices((self._one, self._group, self._support, self._trap), (40, 20, 10, 30))[0]
        way()

    def pause(self) -> None:
        victim = self._at_work() or self._any_child()
        if victim:
            self.place.crew.pause(victim, PAUSE)
            self.pauses += 1

    def _one(self) -> None:
        """One process of a pool."""
        victim = self._at_work() or self._any_child()
        if victim:
            self.place.crew.kill_one(victim)
            self.kills += 1

    def _group(self) -> None:
        """A worker with its whole pool."""
        self.place.crew.kill(self.random.choice([name for name in self.place.crew.members if "worker" in name]))
        self.kills += 1

    def _support(self) -> None:
        """The scheduler or the web server."""
        self.place.crew.kill(self.random.choice([name for name in self.place.crew.members if "worker" not in name]))
        self.kills += 1

    def _trap(self) -> None:
        """Whoever comes by a certain moment next."""
        if self.place.traps.waiting() < 3:
            self.place.traps.arm(self.random.choice(POINTS), "kill")

    def _at_work(self) -> int | None:
        busy = self.place.exports.filter(status=Status.PROCESSING).exclude(worker="").values_list("worker", flat=True)
        living = self._children()
        found = [pid for worker in busy if (pid := int(worker.rpartition(":")[2])) in living]
        return self.random.choice(found) if found and self.random.random() < 0.8 else None

    def _any_child(self) -> int | None:
        living = self._children()
        return self.random.choice(living) if living else None

    def _children(self) -> list[int]:
        return [pid for name, one in self.place.crew.members.items() if "worker" in name for pid in one.children]


def weather(place: Site, plan: Plan) -> Outcome:
    """One storm from the first order to the verdict."""
    place.start(workers=2, schedulers=2)
    place.wait(lambda: place.client.ask("GET", "/resources"))
    storm = Storm(place)
    customer = Customer(place.client, plan.orders, plan.every / plan.orders_an_act)
    customer.start()
    deadline = time.monotonic() + LONGEST
    for number, act in enumerate(acts(storm, plan), 1):
        place.wait(partial(customer.has_ordered, round(number * plan.orders_an_act)), SLOWEST)
        if time.monotonic() > deadline:
            break
        act()
        place.wait(lambda: False, plan.every / 2)
    customer.enough.set()
    place.traps.disarm()
    place.wait(lambda: not customer.is_alive(), 120)
    checker.rest(place)
    verdict = checker.judge(place, customer.ordered)
    return Outcome(verdict, storm.all_kills, storm.pauses, customer, recoveries(place))


def acts(storm: Storm, plan: Plan) -> Iterator[Callable[[], None]]:
    """Kills and pauses, mixed, until there were enough of both."""
    while storm.all_kills < plan.kills or storm.pauses < plan.pauses:
        left = plan.kills - storm.all_kills, plan.pauses - storm.pauses
        yield storm.random.choices((storm.kill, storm.pause), [max(0, count) for count in left])[0]


def recoveries(place: Site) -> list[float]:
    """Seconds from each kill of a process at work to the next try, or to the end of an export that had no more."""
    found = []
    for lost in Attempt.objects.using(place.alias).filter(outcome="interrupted").select_related("export"):
        killed = place.crew.ends.get(int(lost.worker.rpartition(":")[2]))
        later = Attempt.objects.using(place.alias).filter(export_id=lost.export_id, number=lost.number + 1).first()
        until = later.started_at if later else lost.export.completed_at
        if killed and until and lost.started_at.timestamp() <= killed < until.timestamp():
            found.append(until.timestamp() - killed)
    return found


def kill_storm(quick: bool) -> Figure:
    """Figure 1."""
    plan = QUICK if quick else FULL
    with site(ROWS, CHAOS_PACE=PACE) as place:
        outcome = weather(place, plan)
        served = place.client.served
    enough = outcome.kills >= plan.kills and outcome.pauses >= plan.pauses
    return Figure(
        1,
        "kill-storm",
        "embedded: SQLite and the built-in broker, 3 formats, kills and pauses longer than the lease",
        f"{outcome}; {served} downloads checked during the storm",
        f"≥ {plan.orders} exports, ≥ {plan.kills} kills, ≥ {plan.pauses} pauses; all zeros, attempts ≤ 3",
        outcome.sound and enough and len(outcome.customer.ordered) >= plan.orders,
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
    outcomes = {name: on_servers(*servers, plan) for name, servers in COMBINATIONS.items()}
    slow = {name: share(outcome.recoveries, 0.95) for name, outcome in outcomes.items()}
    told = (
        f"{name}: {one}, recovery p95 {slow[name]:.1f} s of {len(one.recoveries)}" for name, one in outcomes.items()
    )
    sound = all(one.sound and one.kills >= plan.kills and one.recoveries for one in outcomes.values())
    return Figure(
        2,
        "brokers",
        "the same on each pair of broker and database",
        "; ".join(told),
        f"≥ {plan.orders} exports, ≥ {plan.kills} kills each; all zeros; recovery p95 ≤ lease ({LEASE:g} s) + 15 s",
        sound and max(slow.values()) <= RECOVERY,
    )


def on_servers(broker: Server | None, database: Server | None, plan: Plan) -> Outcome:
    with ExitStack() as stack:
        named = (("BROKER_URL", broker), ("DATABASE_URL", database))
        settings = {name: stack.enter_context(server()) for name, server in named if server}
        place = stack.enter_context(site(ROWS, CHAOS_PACE=PACE, **settings))
        return weather(place, plan)
