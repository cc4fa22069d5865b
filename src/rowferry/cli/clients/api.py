"""Exports made by a server, through its API.

Addresses are built from the one given and the export's id, not taken out of answers: a server behind a proxy may know
itself by another name, and the token must not go there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

import httpx

from rowferry.cli.clients.base import Fetched
from rowferry.cli.clients.http import HttpClient, body, retry_after, with_retries
from rowferry.cli.clients.polling import wait
from rowferry.cli.clients.resumable_download import ResumableDownload
from rowferry.cli.output import Show
from rowferry.exports.errors import Unavailable

POLL_INTERVAL = 0.5
"""Seconds between two looks at an export, where the server names none."""
SHORTEST, LONGEST = 0.2, 10.0
"""Bounds, in seconds, of the pause that a server's Retry-After can put between two looks."""


class ApiClient:
    """One server. What only reads is repeated when the connection breaks; what changes something never."""

    def __init__(self, url: str, token: str) -> None:
        self._wire = HttpClient(url, token)

    def make(self, resource: str, body: Mapping[str, Any], stream: BinaryIO, show: Show) -> Fetched:
        arrival = ResumableDownload(stream, show)
        export_id = self._place_order(resource, body, arrival)
        export = wait(export_id, partial(self._look, export_id), show)
        return self._fetch_rest(export, arrival)

    def preview(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._object("POST", f"{resource}/export", json={**body, "dry_run": True})

    def history(self, query: Mapping[str, str]) -> dict[str, Any]:
        return self._object("GET", "exports", params=query)

    def find(self, export_id: str) -> dict[str, Any]:
        return self._object("GET", f"exports/{export_id}")

    def manifest(self, export_id: str) -> dict[str, Any]:
        return self._object("GET", f"exports/{export_id}/manifest")

    def log(self, export_id: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._object("GET", f"exports/{export_id}/logs", params=query)

    def fetch(self, export_id: str, stream: BinaryIO, show: Show) -> Fetched:
        return self._fetch_rest(self.find(export_id), ResumableDownload(stream, show))

    def retry(self, export_id: str) -> dict[str, Any]:
        return self.find(self._object("POST", f"exports/{export_id}/retry")["export_id"])

    def cancel(self, export_id: str) -> dict[str, Any]:
        with self._wire.answer("POST", f"exports/{export_id}/cancel"):
            pass
        return self.find(export_id)

    def delete(self, export_id: str) -> None:
        with self._wire.answer("DELETE", f"exports/{export_id}"):
            pass

    def resources(self) -> list[dict[str, Any]]:
        return list(self._object("GET", "resources")["data"])

    def resource(self, name: str) -> dict[str, Any]:
        return self._object("GET", f"resources/{name}")

    def _place_order(self, resource: str, wanted: Mapping[str, Any], arrival: ResumableDownload) -> str:
        """Order a file, and take what comes at once. Returns the id; whether the file is whole, `arrival` knows."""
        export_id = ""
        try:
            with self._wire.answer("POST", f"{resource}/export", json=wanted) as answer:
                export_id = str(answer.headers.get("X-Export-Id", ""))
                if answer.status_code != httpx.codes.ACCEPTED:
                    arrival.take(answer)
                    return export_id
                answer.read()
                export_id = str(body(answer)["export_id"])
                time.sleep(_pause(answer))
        except Unavailable:
            if not export_id:
                raise
        return export_id

    def _fetch_rest(self, export: Mapping[str, Any], arrival: ResumableDownload) -> Fetched:
        """Get what has not come yet of a completed export; what is not completed the server refuses with the reason."""

        def more() -> None:
            with self._wire.answer("GET", f"exports/{export['export_id']}/download", headers=arrival.wanted) as answer:
                arrival.take(answer)

        if not arrival.whole:
            with_retries(more)
        return arrival.verify(export)

    def _look(self, export_id: str) -> tuple[Mapping[str, Any], float]:
        """An export as it stands, and how long to wait before the next look."""

        def look() -> tuple[Mapping[str, Any], float]:
            with self._wire.answer("GET", f"exports/{export_id}") as answer:
                answer.read()
                return body(answer), _pause(answer)

        return with_retries(look)

    def _object(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        return dict(self._wire.json(method, path, **sent))


def _pause(answer: httpx.Response) -> float:
    return min(max(retry_after(answer) or POLL_INTERVAL, SHORTEST), LONGEST)
