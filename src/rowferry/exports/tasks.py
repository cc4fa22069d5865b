"""Celery's door. A message is a bell: it says that something is due, and the row says what."""

from __future__ import annotations

import logging

from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from kombu.utils.url import maybe_sanitize_url

from rowferry.exports import execution

logger = logging.getLogger(__name__)


@shared_task(name="rowferry.exports.run")  # type: ignore[untyped-decorator]
def run(export_id: str) -> None:
    """Do the export whose turn it is; `export_id` is the one that rang, and often the one that is done."""
    export = execution.run_next((SoftTimeLimitExceeded,))
    logger.info("Rung for %s, did %s.", export_id, export.pk if export else "nothing: it was done already")


def ring(export_id: str) -> bool:
    """Tell the workers. A bell that does not ring costs latency only: the ticker rings again. Never raises, never
    waits long."""
    try:
        run.apply_async(args=[export_id], retry=False, ignore_result=True, confirm_timeout=0.8)
    except Exception as error:  # whatever a broker's client may raise: the row is safe, and is all that counts
        logger.warning("The broker did not take the bell for export %s: %s", export_id, error)
        return False
    return True


def reach_broker() -> str:
    """The broker's address, once it has answered; raises whatever its client raises if it does not within two
    seconds."""
    with current_app.connection_for_write(connect_timeout=2) as link:
        link.ensure_connection(max_retries=1, timeout=2)
    return str(maybe_sanitize_url(str(current_app.conf.broker_url)))
