"""What Prometheus is told. Computed from the database when it asks, so the answer of every process is the same and true
for all of them.

Gauges count what is at work now, by indexes that hold nothing else; counters are read from the running totals. So the
cost depends on the backlog and not on the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Count, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rowferry.exports.integrity.manifest import PROGRAM
from rowferry.exports.models import EmailOutbox, Export, Status
from rowferry.exports.models.counter import Counter
from rowferry.exports.monitoring import health
from rowferry.exports.storage import storage

OF_AN_EXPORT = ("resource", "format")
AT_WORK = {
    "waiting": Q(status=Status.PENDING),
    "processing": Q(status=Status.PROCESSING) & ~Q(worker=""),
    "retrying": Q(status=Status.PROCESSING, worker=""),
}
COUNTERS: dict[str, tuple[str, str, str, float]] = {
    "events": ("rowferry_events", "What happened to exports, by event of their log.", "event", 1),
    "rows": ("rowferry_rows", "Rows of completed files: written, or left out because they failed.", "outcome", 1),
    "bytes": ("rowferry_file_bytes", "Bytes of completed files.", "", 1),
    "milliseconds": ("rowferry_phase_seconds", "Seconds of completed exports, by phase.", "phase", 1_000),
    "leases": ("rowferry_leases", "Leases that ended with their worker: lost, or handed over in order.", "outcome", 1),
}
"""Of each name of the totals: the metric, what it says, what its detail is, and what its values are divided by."""


def page() -> bytes:
    """All figures, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_ExportCollector())
    return generate_latest(registry)


class _ExportCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        build = GaugeMetricFamily("rowferry_build", "Always 1; says which program answers.", labels=["program"])
        build.add_metric([PROGRAM], 1)
        yield build
        yield from (_at_work(), *_ages(), _mails())
        yield from _counters()

    def describe(self) -> Iterable[Metric]:
        """Nothing: there is no other collector to clash with."""
        return ()


def _at_work() -> Metric:
    metric = GaugeMetricFamily("rowferry_exports", "Exports at work now.", labels=["state", *OF_AN_EXPORT])
    for state, condition in AT_WORK.items():
        counts = Export.objects.filter(condition).order_by().values_list(*OF_AN_EXPORT).annotate(Count("pk"))
        for resource, format_name, number in counts:
            metric.add_metric([state, resource, format_name], number)
    return metric


def _ages() -> Iterator[Metric]:
    now = health.database_time()
    age, free = health.scheduler_age(now), storage().free_space()
    yield _gauge("rowferry_queue_age_seconds", "How long the oldest due export has waited.", health.queue_age(now))
    yield _gauge("rowferry_lease_overrun_seconds", "Since the oldest untaken lease ended.", health.lease_overrun(now))
    yield _gauge("rowferry_scheduler_age_seconds", "Since the scheduler's last run; none while none leads.", age)
    yield _gauge("rowferry_free_bytes", "Left on the disk of the files; none in an object store.", free)


def _gauge(name: str, documentation: str, value: float | None) -> Metric:
    metric = GaugeMetricFamily(name, documentation)
    if value is not None:
        metric.add_metric([], value)
    return metric


def _mails() -> Metric:
    unsent = EmailOutbox.objects.filter(sent_at=None)
    metric = GaugeMetricFamily("rowferry_mails", "Mails that were not sent: waiting, or given up.", labels=["state"])
    metric.add_metric(["waiting"], unsent.filter(next_try_at__isnull=False).count())
    metric.add_metric(["given_up"], unsent.filter(next_try_at=None).count())
    return metric


def _counters() -> Iterator[Metric]:
    counters: dict[str, list[Counter]] = {name: [] for name in COUNTERS}
    for row in Counter.objects.order_by("id"):
        if row.name in counters:
            counters[row.name].append(row)
    for name, (metric_name, documentation, detail, unit) in COUNTERS.items():
        metric = CounterMetricFamily(metric_name, documentation, labels=[*OF_AN_EXPORT, *([detail] if detail else [])])
        for counter in counters[name]:
            details = [counter.detail] if detail else []
            metric.add_metric([counter.resource, counter.format, *details], counter.value / unit)
        yield metric
