"""A patient client: it repeats an order with the same key until it is answered, and trusts no file that it has not
checked."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from typing import Any

import httpx

GIVE_UP = 90.0
"""Seconds after which an order counts as refused."""
PAUSE = 0.2


class Client:
    """Asks one web server; counts what it was answered."""

    def __init__(self, web: str, token: str) -> None:
        self.http = httpx.Client(base_url=f"{web}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=40)
        self.statuses: Counter[int] = Counter()
        self.timings: list[tuple[str, float]] = []
        """The method and the seconds of each answer."""
        self.downloads = 0
        self.corrupt_downloads: list[str] = []
        """Whole downloads whose bytes were not those of the export's checksum."""
        self.server_errors: list[str] = []
        """Answers of 500 and above that did not say when to come again."""

    def request(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """One answer, noted; None if the server is not there or breaks off."""
        started = time.perf_counter()
        try:
            answer = self.http.request(method, path, **more)
        except httpx.TransportError:
            return None
        self.timings.append((method, time.perf_counter() - started))
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and not (answer.status_code == 503 and "Retry-After" in answer.headers):
            self.server_errors.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def response_times(self, method: str) -> list[float]:
        """The seconds of all answers to a method."""
        return [seconds for name, seconds in self.timings if name == method]

    def create_export(self, kind: str, key: str, **body: Any) -> str:
        """Order an export of the ledger until it is accepted; its id. The key makes one export of many orders."""
        wanted = {"format": kind, "async": True, "email_notification": True, **body}
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline:
            answer = self.request("POST", "/entries/export", json=wanted, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code == 202:
                return str(answer.json()["export_id"])
            if answer is not None and answer.status_code < 500:
                raise RuntimeError(f"The order was refused: {answer.status_code} {answer.text[:500]}")
            time.sleep(PAUSE)
        raise RuntimeError(f"Nobody took the order in {GIVE_UP:g} s.")

    def get_export(self, export_id: str) -> dict[str, Any] | None:
        """What the server says of an export; None if it says nothing."""
        answer = self.request("GET", f"/exports/{export_id}")
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def download(self, export: dict[str, Any]) -> bytes | None:
        """The file, compared with the checksum of its export; None if it did not come whole."""
        answer = self.request("GET", f"/exports/{export['export_id']}/download")
        if answer is None or answer.status_code != 200:
            return None
        self.downloads += 1
        found = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        if (found, len(answer.content)) != (export["checksum"], export["file_size"]):
            self.corrupt_downloads.append(f"{export['export_id']}: {len(answer.content)} bytes, {found}")
        return answer.content

    def retry(self, export_id: str) -> str | None:
        """A failed export anew, as its owner would; its id."""
        answer = self.request("POST", f"/exports/{export_id}/retry")
        return str(answer.json()["export_id"]) if answer is not None and answer.status_code == 202 else None
