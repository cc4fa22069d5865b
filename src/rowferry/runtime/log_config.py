"""One form of log for every process and every library: JSON lines for machines, or lines for people on a terminal.

What is bound (`structlog.contextvars`) stands in every line that is written meanwhile, whoever writes it: the id of the
request in a web process, the id of the export in whatever works on one. What must not be in a log is taken out of every
line, whoever wrote it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import structlog
from gunicorn.glogging import Logger
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import Processor

Event = MutableMapping[str, Any]

FORMS = ("json", "text")
REQUEST_FIELDS = ("method", "path", "status", "bytes", "ms", "export_id")
"""The only extra facts of a record that reach the log: others are whole objects, and may say anything."""
SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), r"\1***@"),
    (re.compile(r"(?i)\b(bearer\s+)\S+"), r"\1***"),
    (re.compile(r"\brf_[\w-]{8,}"), "rf_***"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "***@***"),
)
"""Passwords in addresses, tokens, e-mail addresses: what a library may put into its messages and traces."""
PROBES = ("/healthz", "/readyz", "/metrics")


def configuration(form: str, level: str) -> dict[str, Any]:
    """Python's logging as a dictionary. `form` one of FORMS, or empty: text on a terminal, else JSON. `level` empty:
    INFO for Rowferry and requests, WARNING for the rest. ValueError: there is no such form."""
    form = form or ("text" if sys.stderr.isatty() else "json")
    if form not in FORMS:
        raise ValueError(f"ROWFERRY_LOG: {form!r} is none of {', '.join(FORMS)}.")
    own_logger = {"level": level or "INFO"}
    # gunicorn gives its loggers handlers of their own, unless they are named here.
    server_logger = {"handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "form": form}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level or "WARNING"},
        "loggers": {
            "rowferry": own_logger,
            "gunicorn.access": server_logger | own_logger,
            "gunicorn.error": server_logger | {"level": level or "WARNING"},
        },
    }


def formatter(form: str) -> logging.Formatter:
    """The formatter of one form, for records of the standard library, which all of them are."""
    renderers: dict[str, Any] = {
        "json": structlog.processors.JSONRenderer(ensure_ascii=False),
        "text": structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    }
    shared_processors: list[Processor] = [
        add_log_level,
        add_logger_name,
        ExtraAdder(allow=REQUEST_FIELDS),
        merge_contextvars,
        _process,
    ]
    return ProcessorFormatter(
        foreign_pre_chain=[*shared_processors, structlog.processors.TimeStamper(fmt="iso", utc=True)],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            scrub_secrets,
            renderers[form],
        ],
    )


def _process(_logger: Any, _name: str, event: Event) -> Event:
    event["pid"] = os.getpid()
    return event


def scrub_secrets(_logger: Any, _name: str, event: Event) -> Event:
    """The event without what SECRETS knows."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = without_secrets(value)
    return event


def without_secrets(text: str) -> str:
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


class RequestLog(Logger):  # type: ignore[misc]
    """gunicorn's log, with one line a request in our form: no query, no address, nothing of the headers."""

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: Any) -> None:
        fields = {
            "method": environ.get("REQUEST_METHOD"),
            "path": environ.get("PATH_INFO"),
            "status": _number(resp.status),
            "bytes": _body_bytes(resp, environ),
            "ms": round(request_time.total_seconds() * 1000),
        }
        export_id = _header(resp.headers, "x-export-id")
        is_probe = fields["path"] in PROBES and fields["status"] < 400
        level = logging.DEBUG if is_probe else logging.INFO
        self.access_log.log(level, "request", extra=fields | ({"export_id": export_id} if export_id else {}))
        clear_contextvars()  # the thread's next request may be one that never reaches Django


def _body_bytes(resp: Any, environ: Mapping[str, Any]) -> int:
    """Bytes of the body. What the kernel has sent from a file by itself gunicorn does not count."""
    response_length = 0 if environ.get("REQUEST_METHOD") == "HEAD" else resp.response_length or 0
    return int(resp.sent or response_length)


def _number(status: str | int) -> int:
    return int(str(status).split()[0])


def _header(headers: Sequence[tuple[str, str]], header_name: str) -> str:
    return next((value for name, value in headers if name.lower() == header_name), "")
