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

from rowferry.cli.clients.base import FetchedFile
from rowferry.cli.clients.http import HttpClient, json_body, retry_after, with_retries
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
        self._http = HttpClient(url, token)

    def make(self, resource: str, body: Mapping[str, Any], stream: BinaryIO, on_progress: Show) -> FetchedFile:
        download = ResumableDownload(stream, on_progress)
        export_id = self._place_order(resource, body, download)
        export = wait(export_id, partial(self._poll, export_id), on_progress)
        return self._fetch_rest(export, download)

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

    def fetch(self, export_id: str, stream: BinaryIO, on_progress: Show) -> FetchedFile:
        return self._fetch_rest(self.find(export_id), ResumableDownload(stream, on_progress))

    def retry(self, export_id: str) -> dict[str, Any]:
        return self.find(self._object("POST", f"exports/{export_id}/retry")["export_id"])

    def cancel(self, export_id: str) -> dict[str, Any]:
        with self._http.request("POST", f"exports/{export_id}/cancel"):
            pass
        return self.find(export_id)

    def delete(self, export_id: str) -> None:
        with self._http.request("DELETE", f"exports/{export_id}"):
            pass

    def resources(self) -> list[dict[str, Any]]:
        return list(self._object("GET", "resources")["data"])

    def resource(self, name: str) -> dict[str, Any]:
        return self._object("GET", f"resources/{name}")

    def _place_order(self, resource: str, order: Mapping[str, Any], download: ResumableDownload) -> str:
        """Order a file, and take what comes at once. Returns the id; whether the file is whole, `download` knows."""
        export_id = ""
        try:
            with self._http.request("POST", f"{resource}/export", json=order) as response:
                export_id = str(response.headers.get("X-Export-Id", ""))
                if response.status_code != httpx.codes.ACCEPTED:
                    download.receive(response)
                    return export_id
                response.read()
                export_id = str(json_body(response)["export_id"])
                time.sleep(_pause(response))
        except Unavailable:
            if not export_id:
                raise
        return export_id

    def _fetch_rest(self, export: Mapping[str, Any], download: ResumableDownload) -> FetchedFile:
        """Get what has not come yet of a completed export; what is not completed the server refuses with the reason."""

        def fetch_more() -> None:
            with self._http.request(
                "GET", f"exports/{export['export_id']}/download", headers=download.range_headers
            ) as response:
                download.receive(response)

        if not download.is_complete:
            with_retries(fetch_more)
        return download.verify(export)

    def _poll(self, export_id: str) -> tuple[Mapping[str, Any], float]:
        """An export as it stands, and how long to wait before the next look."""

        def poll() -> tuple[Mapping[str, Any], float]:
            with self._http.request("GET", f"exports/{export_id}") as response:
                response.read()
                return json_body(response), _pause(response)

        return with_retries(poll)

    def _object(self, method: str, path: str, **request_options: Any) -> dict[str, Any]:
        return dict(self._http.json(method, path, **request_options))


def _pause(response: httpx.Response) -> float:
    return min(max(retry_after(response) or POLL_INTERVAL, SHORTEST), LONGEST)
