"""A server in front of another: some requests are answered by an error, some find the line cut, the rest pass."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

PASSED_ON = ("content-type", "content-length", "etag", "last-modified", "content-range", "accept-ranges")


class FaultyServer(ThreadingHTTPServer):
    """Passes requests on to `target`, but for the `share` of them (0…1) that it spoils; `spoiled` counts those,
    `asked` all."""

    daemon_threads = True

    def __init__(self, target: str, share: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), FaultyHandler)
        self.target, self.share = urlsplit(target).netloc, share
        self.asked = self.spoiled = 0
        self._random, self._lock = random.Random(seed), Lock()

    def choose_outcome(self) -> str:
        """What becomes of the next request."""
        with self._lock:
            self.asked += 1
            if self._random.random() >= self.share:
                return "passed"
            self.spoiled += 1
            return self._random.choice(("refused", "cut", "unanswered"))


class FaultyHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def proxy_request(self) -> None:
        outcome = self.server.choose_outcome()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if outcome == "cut":
            self.close_connection = True
            return
        if outcome == "refused":
            self._answer(503, {}, b"")
            return
        status, headers, data = self._forward(body)
        if outcome == "unanswered":  # it was done, and nobody will hear of it
            self.close_connection = True
            return
        self._answer(status, headers, data)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        onward = http.client.HTTPConnection(self.server.target, timeout=30)
        onward.request(self.command, self.path, body, dict(self.headers))
        answer = onward.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() in PASSED_ON}
        data = answer.read()
        onward.close()
        return answer.status, headers, data

    def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = proxy_request

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def run_faulty_server(target: str, share: float, seed: int = 1) -> Iterator[tuple[str, FaultyServer]]:
    """The address of a faulty server before `target`, and the server."""
    server = FaultyServer(target, share, seed)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
