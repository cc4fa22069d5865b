"""The Celery tasks. A wake-up message says that something is due, and the row says what."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from kombu.utils.url import maybe_sanitize_url
from structlog.contextvars import bound_contextvars

from rowferry.exports import lifecycle, persistent_names
from rowferry.exports.execution import queued
from rowferry.exports.models import WorkerPing

logger = logging.getLogger(__name__)


@shared_task(name=persistent_names.RUN_TASK)  # type: ignore[untyped-decorator]
def run(export_id: str) -> None:
    """Do the export whose turn it is: often, but not always, `export_id`, for which the message was sent."""
    export = queued.run_next((SoftTimeLimitExceeded,))
    logger.info("Woken for %s, did %s.", export_id, export.pk if export else "nothing: it was done already")


def notify_workers(export_id: str) -> bool:
    """Send a wake-up message. A lost one costs latency only: the scheduler sends it again. Never raises, never
    waits long."""
    try:
        run.apply_async(args=[export_id], retry=False, ignore_result=True, confirm_timeout=0.8)
    except Exception as error:  # whatever a broker's client may raise: the row is safe, and is all that counts
        with bound_contextvars(export_id=export_id):
            logger.warning("The broker did not take the wake-up message for export %s: %s", export_id, error)
        return False
    return True


def at_work(pids: Collection[int]) -> bool:
    """Whether one of these processes of this machine makes an export."""
    return lifecycle.held_by(_names(pids)).exists()


def release_leases(pids: Collection[int]) -> None:
    """Give what these processes of this machine are making to other workers, and notify them."""
    for export_id in lifecycle.release_leases(_names(pids)):
        with bound_contextvars(export_id=str(export_id)):
            logger.warning("The export is handed over: its worker stops.")
            notify_workers(str(export_id))


def _names(pids: Collection[int]) -> list[str]:
    return [queued.worker_name(pid) for pid in pids]


@shared_task(name=persistent_names.ANSWER_TASK)  # type: ignore[untyped-decorator]
def answer(ping_id: str) -> None:
    """Say that a worker has received this ping, if anybody still waits for it."""
    WorkerPing.objects.filter(pk=ping_id, worker="").update(worker=queued.worker_name())


def ping_workers(patience: float) -> tuple[str, float] | None:
    """The worker that answers a ping, and after how many seconds; None = nobody within `patience`.

    Raises whatever the broker's client raises if it does not take the message.
    """
    ping = WorkerPing.objects.create()
    started = time.monotonic()
    try:
        answer.apply_async(args=[ping.pk], retry=False, ignore_result=True, confirm_timeout=0.8, expires=60)
        while (waited := time.monotonic() - started) < patience:
            worker = WorkerPing.objects.values_list("worker", flat=True).get(pk=ping.pk)
            if worker:
                return worker, waited
            time.sleep(0.05)
    finally:
        ping.delete()
    return None


def reach_broker() -> str:
    """The broker's address, once it has answered; raises whatever its client raises if it does not within two
    seconds."""
    with current_app.connection_for_write(connect_timeout=2) as broker_connection:
        broker_connection.ensure_connection(max_retries=1, timeout=2)
    return str(maybe_sanitize_url(str(current_app.conf.broker_url)))
