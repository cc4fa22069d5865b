"""Answers that carry a file: whole, a part of it, or as it is being made."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from rowferry.api import ranges
from rowferry.api.ranges import Span

if TYPE_CHECKING:
    from rowferry.exports.storage.download import Download

R = TypeVar("R", bound=HttpResponseBase)
SANDBOX_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
"""Whatever a browser makes of a file, it runs nothing of it."""
BLOCK = 256 * 1024
"""Bytes read at a time, where the server does not send the file by itself."""


class PreconditionFailedError(APIException):
    """If-Match or If-Unmodified-Since does not hold."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "The file is not the one that the request names."


def stream_response(chunks: Iterator[bytes], filename: str, content_type: str) -> StreamingHttpResponse:
    """Bytes as they come. What `chunks` raises goes on to the server, which breaks the connection off."""
    return StreamingHttpResponse(chunks, content_type=content_type, headers=_disposition_headers(filename))


class FromFile(FileResponse):
    """Bytes of an open file."""

    block_size = BLOCK


def whole_file_response(file: Download) -> FileResponse:
    """All of the file; a server that can sends it without reading it. Closing the response closes the file."""
    response = FromFile(file.stream, content_type=file.content_type)
    return with_headers(response, _file_headers(file) | {"Content-Length": str(file.size)})


def head_response(file: Download) -> HttpResponse:
    """What `whole_file_response` would say of the file, without the file, which is closed."""
    file.stream.close()
    return with_headers(
        HttpResponse(content_type=file.content_type), _file_headers(file) | {"Content-Length": str(file.size)}
    )


def file_response(request: Request, file: Download) -> HttpResponseBase:
    """The file as the conditions and the range of the request want it: 200, 206, 304. Owns the file, however it ends.

    Raises PreconditionFailedError (412), UnsatisfiableRangeError (416).
    """
    try:
        not_modified = _not_modified_response(request, file)
        span = None if not_modified else _span(request, file)
    except Exception:
        file.stream.close()
        raise
    if not_modified is not None:
        file.stream.close()
        return not_modified
    if request.method == "HEAD":
        return head_response(file)
    return whole_file_response(file) if span is None else _partial_response(file, span)


def _not_modified_response(request: Request, file: Download) -> HttpResponse | None:
    """304, where the client has this very file."""
    modified_at = int(file.modified.timestamp()) if file.modified else None
    response = with_headers(HttpResponse(), _file_headers(file))
    conditional = get_conditional_response(request._request, _etag(file), modified_at, response)
    if conditional is response or conditional is None:
        return None
    if conditional.status_code == 412:
        raise PreconditionFailedError
    return conditional


def _span(request: Request, file: Download) -> Span | None:
    range_header, if_range = request.headers.get("Range", ""), request.headers.get("If-Range", "")
    if request.method != "GET" or not ranges.if_range_matches(if_range, _etag(file), _last_modified(file)):
        return None
    return ranges.parse_range(range_header, file.size)


def _partial_response(file: Download, span: Span) -> FileResponse:
    file.stream.seek(span.start)
    response = FromFile(_StreamSlice(file.stream, span.length), status=206, content_type=file.content_type)
    return with_headers(
        response, _file_headers(file) | {"Content-Length": str(span.length), "Content-Range": span.content_range}
    )


class _StreamSlice:
    """The next `length` bytes of a stream, as a file: a server that can sends them from its number without reading
    them, as many as Content-Length says. Closed with the response, and so is the stream, even if nobody has read."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self.close = stream.close
        self.fileno = stream.fileno
        self._stream = stream
        self._remaining = length

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(self._remaining, BLOCK if size < 0 else size))
        self._remaining -= len(data)
        return data


def _file_headers(file: Download) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    last_modified = {"Last-Modified": _last_modified(file)} if file.modified else {}
    return {
        "Accept-Ranges": "bytes",
        "ETag": _etag(file),
        "Repr-Digest": f"sha-256=:{digest}:",
        **last_modified,
        **_disposition_headers(file.filename),
    }


def _disposition_headers(filename: str) -> dict[str, str]:
    return {"Content-Disposition": content_disposition_header(True, filename) or "attachment", **SANDBOX_HEADERS}


def _etag(file: Download) -> str:
    return f'"{file.sha256}"'


def _last_modified(file: Download) -> str:
    return http_date(file.modified.timestamp()) if file.modified else ""


def with_headers(response: R, headers: Mapping[str, str]) -> R:
    """The response itself, with these headers set."""
    for name, value in headers.items():
        response[name] = value
    return response
