"""One HTTP connection to a server's API: what goes wrong on it, said as Rowferry's errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from rowferry import __version__
from rowferry.exports.errors import RowferryError, Unavailable

T = TypeVar("T")
TIMEOUT = httpx.Timeout(15.0, read=330.0)
"""Seconds. Reading has longer than one export may take: the first byte of an answer can be as late as that."""
RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try of what may be repeated."""
UNAVAILABLE_STATUSES = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)


def fetch_url(url: str) -> bytes:
    """What lies at an address, without saying who asks. Unavailable: nobody answers, or not with that."""
    try:
        response = httpx.get(url, timeout=15.0, follow_redirects=True)
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} could not be read: {error}") from error
    return response.content


class Refusal(RowferryError):
    """The server said no."""

    code = "refused_by_server"
    title = "The server refuses"


class HttpClient:
    """One server and one person's token."""

    def __init__(self, url: str, token: str) -> None:
        self.root = url.rstrip("/").removesuffix("/api/v1")
        headers = {
            "Authorization": f"Bearer {token}",
            "User-Agent": f"rowferry/{__version__}",
            "Accept-Encoding": "identity",
        }
        self._client = httpx.Client(base_url=f"{self.root}/api/v1/", headers=headers, timeout=TIMEOUT)

    @contextmanager
    def request(self, method: str, path: str, **request_options: Any) -> Iterator[httpx.Response]:
        """A good answer, its body still to be read.

        Refusal: the request is wrong. Unavailable: no answer, or the connection broke while the body was being read.
        """
        try:
            # A download may be redirected to the storage itself; httpx leaves the token out there.
            with self._client.stream(method, path, follow_redirects=method == "GET", **request_options) as response:
                if not response.is_success:
                    response.read()
                    raise error_from_response(response)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self.root} does not answer as it should: {error or type(error).__name__}.") from error

    def json(self, method: str, path: str, **request_options: Any) -> Any:
        with self.request(method, path, **request_options) as response:
            response.read()
            return json_body(response)


def with_retries(attempt: Callable[[], T]) -> T:
    """The result of what may be repeated; Unavailable only after the last of len(PAUSES) + 1 tries."""
    for delay in RETRY_DELAYS:
        try:
            return attempt()
        except Unavailable:
            time.sleep(delay)
    return attempt()


def json_body(response: httpx.Response) -> Any:
    """The JSON of an answer that has been read. Refusal: it is none, so that is no server of ours."""
    try:
        return response.json()
    except ValueError:
        raise Refusal(f"{response.url} answers with something that is no JSON: is it a Rowferry server?") from None


def error_from_response(response: httpx.Response) -> RowferryError:
    """The error that a problem document (RFC 9457) tells, or the bare status where there is none."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    problem_fields = problem if isinstance(problem, dict) else {}
    fallback = f"{response.url} answers {response.status_code} {response.reason_phrase}"
    error_class = Unavailable if response.status_code in UNAVAILABLE_STATUSES else Refusal
    detail = str(problem_fields.get("detail") or problem_fields.get("title") or fallback)
    return error_class(detail, errors=problem_fields.get("errors"), retry_after=retry_after(response))


def retry_after(response: httpx.Response) -> int | None:
    """Seconds, where the server names them."""
    header = response.headers.get("Retry-After", "")
    return int(header) if header.isascii() and header.isdigit() else None
