"""Waiting for an export that somebody else makes: a worker beside us, or a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rowferry.cli.output import Show, echo_err
from rowferry.exports.errors import Fault, RowferryError, Stopped

Export = Mapping[str, Any]


def wait(export_id: str, poll: Callable[[], tuple[Export, float]], on_progress: Show) -> Export:
    """The export, once it is completed. `poll` gives it as it stands, and the seconds to wait before the next look.

    Fault: it failed. Stopped: it was cancelled, or its file has gone already.
    """
    try:
        export, delay = poll()
        while export["status"] in ("pending", "processing"):
            _report_progress(export, on_progress)
            time.sleep(delay)
            export, delay = poll()
    except KeyboardInterrupt:
        echo_err(f"The export goes on: `rowferry exports show {export_id}`.")
        raise
    if export["status"] != "completed":
        raise _error_for(export)
    return export


def _report_progress(export: Export, on_progress: Show) -> None:
    activity = "Waiting for a worker" if export["status"] == "pending" else f"Exporting {export['resource_type']}"
    on_progress(activity, export["exported_items"] + export["failed_items"], export["total_items"])


def _error_for(export: Export) -> RowferryError:
    if export["status"] != "failed":
        return Stopped(f"The export was {export['status']}; there is no file.")
    reason = (export["error"] or {}).get("detail", "the reason is in its log")
    return Fault(f"The export failed: {reason} `rowferry exports retry {export['export_id']}` makes it anew.")
