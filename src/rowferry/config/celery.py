"""The Celery app. A wake-up message carries an export's id; a lost or duplicate one costs latency only."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"
from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.concurrency import get_implementation
from celery.concurrency.prefork import TaskPool
from celery.signals import setup_logging, task_postrun, task_prerun, worker_init
from django.conf import settings
from kombu.entity import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES
from structlog.contextvars import bind_contextvars, clear_contextvars

from rowferry.config.celery_checks import unsafe_settings
from rowferry.exports.conf import seconds
from rowferry.exports.persistent_names import QUEUE
from rowferry.runtime import graceful_shutdown

# Seconds. What is unacknowledged for `visibility_timeout` is handed out again: longer than the longest task. The check
# for it runs every `unacked_restore_interval`; kombu's own throttle of 10 would skip nine checks of ten.
REDIS: dict[str, Any] = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 0.4,
    "socket_timeout": 0.8,
    "max_retries": 0,
}
RABBITMQ: dict[str, Any] = {"confirm_publish": True, "connect_timeout": 0.8, "max_retries": 0}
BROKERS: dict[str, dict[str, Any]] = {
    "spool": {"max_retries": 0},
    "redis": REDIS,
    "rediss": REDIS,
    "amqp": RABBITMQ,
    "amqps": RABBITMQ,
}


def configuration(url: str) -> dict[str, Any]:
    """Celery's settings for one broker. ValueError when there is no such kind of broker."""
    scheme = url.partition(":")[0]
    if scheme not in BROKERS:
        raise ValueError(f"BROKER_URL: {scheme!r} is none of {', '.join(BROKERS)}.")
    limit = seconds("TIME_LIMIT").total_seconds()
    return {
        "broker_url": url,
        "broker_transport_options": BROKERS[scheme],
        "broker_connection_timeout": 1,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_queues": [_queue(scheme)],
        "task_default_queue": QUEUE,
        "task_default_exchange": QUEUE,
        "task_default_routing_key": QUEUE,
        "task_create_missing_queues": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_publish_retry": False,
        "task_soft_time_limit": limit + 10,
        "task_time_limit": limit + 30,
        "worker_pool": "prefork",
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 50,
        "worker_soft_shutdown_timeout": seconds("GRACE").total_seconds(),
        "worker_lost_wait": 3,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "timezone": "UTC",
    }


def _queue(scheme: str) -> Queue:
    arguments = {"x-queue-type": "quorum"} if RABBITMQ is BROKERS[scheme] else None
    return Queue(QUEUE, Exchange(QUEUE, type="direct"), routing_key=QUEUE, queue_arguments=arguments)


@setup_logging.connect
def _leave_logging_to_django(**_: Any) -> None:
    """Celery sets up logging of its own unless somebody listens to this signal."""


@task_prerun.connect
def _bind_message(args: Any = (), **_: Any) -> None:
    """Also in Celery's own lines: the id that the message carries. The task may make another export."""
    bind_contextvars(message_export_id=str(next(iter(args), "")))


@task_postrun.connect
def _clear_message(**_: Any) -> None:
    clear_contextvars()


@worker_init.connect
def _check_worker_settings(sender: Any, **_: Any) -> None:
    """The command line can override the settings: only the worker itself knows what it is about to run with."""
    problems = list(unsafe_settings(sender.app.conf))
    if not issubclass(get_implementation(sender.pool_cls), TaskPool):
        problems.append("Only the prefork pool enforces time limits.")
    if problems:
        raise SystemExit("\n".join(problems))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rowferry.config.settings")
TRANSPORT_ALIASES["spool"] = "rowferry.filesystem_broker:Transport"

worker_init.connect(graceful_shutdown.take_over)

app = Celery("rowferry")
app.set_default()
app.conf.update(configuration(settings.BROKER_URL))
app.autodiscover_tasks()
