"""The Celery settings on which the promise to lose nothing rests, each with what breaks without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from kombu.utils.url import url_to_parts

from rowferry.exports.conf import seconds
from rowferry.filesystem_broker.place import spool_folder

REQUIRED: dict[str, tuple[Any, str]] = {
    "task_acks_late": (True, "a killed worker loses the export it was writing"),
    "task_reject_on_worker_lost": (True, "a killed child's message is thrown away"),
    "task_ignore_result": (True, "results pile up in a store nobody reads"),
    "task_serializer": ("json", "a message could run code"),
    "accept_content": (["json"], "a message could run code"),
    "worker_prefetch_multiplier": (1, "exports wait behind a long one while another worker is idle"),
    "worker_pool": ("prefork", "time limits are ignored, silently"),
    "worker_enable_remote_control": (False, "workers open queues that nobody empties"),
}
BOUNDS: dict[str, tuple[int, str]] = {
    "worker_soft_shutdown_timeout": (20, "a restart cuts exports off, or is cut off itself"),
    "worker_lost_wait": (3, "a killed child is noticed late"),
    "worker_max_tasks_per_child": (1_000, "a child's memory grows for ever"),
    "broker_connection_timeout": (1, "a request waits for a broker that is down"),
}


def unsafe_settings(conf: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each setting of a Celery app that is not what it must be."""
    extra_seconds = {"task_soft_time_limit": 10, "task_time_limit": 30}
    limits = {name: seconds("TIME_LIMIT").total_seconds() + extra for name, extra in extra_seconds.items()}
    required = REQUIRED | {
        name: (limit, "it ends an export before its own deadline does") for name, limit in limits.items()
    }
    for name, (expected, consequence) in required.items():
        if conf[name] != expected:
            yield f"Celery's {name} is {conf[name]!r}, not {expected!r}: {consequence}."
    for name, (maximum, consequence) in BOUNDS.items():
        if not 0 < (conf[name] or 0) <= maximum:
            yield f"Celery's {name} is {conf[name]!r}, not between 0 and {maximum}: {consequence}."
    yield from _publish_retry_problems(conf)


def _publish_retry_problems(conf: Mapping[str, Any]) -> Iterator[str]:
    if conf["task_publish_retry"]:
        yield "Celery's task_publish_retry is on: a request waits for a broker that is down."


def check_celery_settings(**_: Any) -> list[CheckMessage]:
    """Django system check over the app that this process would send its messages with."""
    return [Error(problem, id="config.E001") for problem in unsafe_settings(current_app.conf)]


def check_spool_is_local(**_: Any) -> list[CheckMessage]:
    """Django system check: locks over a network are not to be trusted."""
    broker = url_to_parts(settings.BROKER_URL)
    if broker.scheme != "spool":
        return []
    try:
        spool_folder(broker.hostname, broker.path)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="config.E002")]
    return []
