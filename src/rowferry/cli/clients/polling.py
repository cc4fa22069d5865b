"""Waiting for an export that somebody else makes: a worker beside us, or a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rowferry.cli.output import Show, echo_err
from rowferry.exports.errors import Fault, RowferryError, Stopped

Export = Mapping[str, Any]


def wait(export_id: str, look: Callable[[], tuple[Export, float]], show: Show) -> Export:
    """The export, once it is completed. `look` gives it as it stands, and the seconds to wait before the next look.

    Fault: it failed. Stopped: it was cancelled, or its file has gone already.
    """
    try:
        found, pause = look()
        while found["status"] in ("pending", "processing"):
            _show(found, show)
            time.sleep(pause)
            found, pause = look()
    except KeyboardInterrupt:
        echo_err(f"The export goes on: `rowferry exports show {export_id}`.")
        raise
    if found["status"] != "completed":
        raise _why(found)
    return found


def _show(export: Export, show: Show) -> None:
    what = "Waiting for a worker" if export["status"] == "pending" else f"Exporting {export['resource_type']}"
    show(what, export["exported_items"] + export["failed_items"], export["total_items"])


def _why(export: Export) -> RowferryError:
    if export["status"] != "failed":
        return Stopped(f"The export was {export['status']}; there is no file.")
    reason = (export["error"] or {}).get("detail", "the reason is in its log")
    return Fault(f"The export failed: {reason} `rowferry exports retry {export['export_id']}` makes it anew.")
