"""The log: one form for everybody, the ids in every line, and nothing in it that is nobody's business."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

from rowferry.exports import submission
from rowferry.exports.execution import queued
from rowferry.runtime import log_config, supervisor
from rowferry.runtime.log_config import RequestLog, configuration, without_secrets
from rowferry.runtime.middleware import request_id_from
from tests.factories.exports import claim_export, queue_export, watched_rows
from tests.services.running import answers, free_port
from tests.support.log_lines import wait_for
from tests.system.installation import create_installation

WEB = supervisor.web_command("127.0.0.1", 0)
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def clear_log_context() -> Iterator[None]:
    clear_contextvars()
    yield
    clear_contextvars()


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What everybody logs meanwhile, as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(log_config.formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)


def test_a_line_says_when_who_what_and_what_it_is_about(lines: Lines) -> None:
    with bound_contextvars(export_id="e-1"):
        logging.getLogger("celery.worker").warning("Lost %s.", "a child", extra={"request": "an object"})
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "Lost a child.",
        "level": "warning",
        "logger": "celery.worker",
        "pid": os.getpid(),
        "export_id": "e-1",
    }


def test_a_trace_is_one_line_without_the_values_of_variables(lines: Lines) -> None:
    secret = "not-in-the-source"[::-1]
    try:
        raise ValueError(len(secret))
    except ValueError:
        logging.getLogger("anybody").exception("It failed.")
    (line,) = lines()
    assert "ValueError: 17" in line["exception"]
    assert secret not in json.dumps(line)


@pytest.mark.parametrize(
    "said, kept",
    [
        ("postgresql://me:p%40ss@db/rows is down", "postgresql://me:***@db/rows is down"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("token rf_AbCdEfGh12345678 is unknown", "token rf_*** is unknown"),
        ("550 no such user <olga.owner+x@mail.example.com>", "550 no such user <***@***>"),
        ("assets_2025-10-30.csv, 5 @ 3", "assets_2025-10-30.csv, 5 @ 3"),
    ],
)
def test_secrets_and_people_are_taken_out(said: str, kept: str) -> None:
    assert without_secrets(said) == kept


@pytest.mark.parametrize("form", log_config.FORMS)
def test_secrets_are_taken_out_of_traces_in_every_form(form: str) -> None:
    try:
        raise ValueError("olga@example.com")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "To %s.", ("bob@example.com",), sys.exc_info())
    line = log_config.formatter(form).format(record)
    assert "ValueError" in line
    assert "example.com" not in line


def test_the_form_is_as_asked_and_there_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configuration("", "")["formatters"]["line"]["form"] == "json"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert configuration("", "")["formatters"]["line"]["form"] == "text"
    assert configuration("json", "")["formatters"]["line"]["form"] == "json"
    with pytest.raises(ValueError, match="ROWFERRY_LOG: 'xml' is none of json, text"):
        configuration("xml", "")


def access_log_entry(path: str, status: str = "200 OK", **headers: str) -> dict[str, Any]:
    """What gunicorn's logger is told of one answer."""
    return {
        "resp": SimpleNamespace(status=status, sent=12, response_length=None, headers=[*headers.items()]),
        "req": None,
        "environ": {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "q=olga", "REMOTE_ADDR": "203.0.113.9"},
        "request_time": timedelta(milliseconds=15),
    }


def test_a_request_is_one_line_and_nothing_of_it_stays_for_the_next(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = RequestLog.__new__(RequestLog)
    log.access_log = logging.getLogger("tests.access")
    log.access_log.setLevel(logging.INFO)
    bind_contextvars(request_id="r-1")
    log.access(**access_log_entry("/api/v1/exports", **{"X-Export-Id": "e-1"}))
    log.access(**access_log_entry("/healthz"))
    log.access(**access_log_entry("/readyz", "503 Service Unavailable"))
    first, second = lines()
    about = {name: first[name] for name in ("event", "method", "path", "status", "bytes", "ms", "export_id")}
    assert list(about.values()) == ["request", "GET", "/api/v1/exports", 200, 12, 15, "e-1"]
    assert first["request_id"] == "r-1"
    assert "request_id" not in second
    assert (second["path"], second["status"]) == ("/readyz", 503)
    assert "olga" not in json.dumps(first)
    assert "203.0.113.9" not in json.dumps(first)


def test_a_request_has_an_id_and_keeps_one_that_is_a_name() -> None:
    assert Client().get("/healthz", headers={"x-request-id": "from.the-proxy_1"})["X-Request-Id"] == "from.the-proxy_1"
    assert len(Client().get("/healthz")["X-Request-Id"]) == 32
    assert get_contextvars().keys() == {"request_id"}
    assert [len(request_id_from(given)) for given in ("", "a b", "x" * 65, "ü")] == [32] * 4


class CollectingHandler(logging.Handler):
    """Lines as JSON, each with the thread that wrote it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.setFormatter(log_config.formatter("json"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((str(record.threadName), json.loads(self.format(record))))


@pytest.mark.django_db(transaction=True)
def test_whatever_is_logged_while_an_export_is_made_names_it(owner: User, settings: Any) -> None:
    settings.ROWFERRY_HEARTBEAT, settings.DEBUG = 0.01, True  # so that the database's client says each statement
    overheard, talkative = CollectingHandler(), logging.getLogger("django.db.backends")
    with watched_rows(5_000) as at_row:
        export = queue_export(owner, "groups")
        claim = claim_export()
        talkative.addHandler(overheard)
        talkative.setLevel(logging.DEBUG)
        at_row[4_500] = lambda: wait_for(lambda: "heartbeat" in {thread for thread, _ in overheard.lines})
        queued.run(claim)
    talkative.removeHandler(overheard)
    talkative.setLevel(logging.NOTSET)
    threads = {thread for thread, line in overheard.lines if line.get("export_id") == str(export.pk)}
    assert threads == {"MainThread", "heartbeat"}
    assert {line["attempt"] for _, line in overheard.lines if "export_id" in line} == {1}
    assert "export_id" not in get_contextvars()


@pytest.mark.django_db(transaction=True)
def test_an_export_made_in_a_request_is_named_until_it_is_done(owner: User, lines: Lines) -> None:
    with watched_rows(10) as at_row:
        at_row[5] = lambda: logging.getLogger("anybody").warning("A row.")
        work, course = submission.perform("groups", {"format": "csv"}, owner)
        for _ in course:
            pass
    assert [(line["event"], line["export_id"]) for line in lines()] == [("A row.", str(work.export.pk))]
    assert "export_id" not in get_contextvars()


@pytest.mark.system
def test_web_and_worker_write_the_same_form(tmp_path: Path) -> None:
    with (
        create_installation(tmp_path, 20, ROWFERRY_LOG="json", LOG_LEVEL="INFO") as place,
        (tmp_path / "log").open("w") as log,
    ):
        (export_id,) = place.queue_exports({"format": "csv"})
        token, port = place.token("owner"), free_port()
        web = [part.replace("127.0.0.1:0", f"127.0.0.1:{port}") for part in WEB]
        running = [
            subprocess.Popen(command, env=place.environment, stderr=log, process_group=0)
            for command in (web, supervisor.worker_command())
        ]
        place._running += running
        wait_for(answers(port), 30)
        wait_for(lambda: place.export(export_id)["status"] == "completed", 30)
        url = f"http://127.0.0.1:{port}/api/v1/exports/{export_id}/download?token=rf_secret"
        asked = httpx.get(url, headers={"Authorization": f"Bearer {token}", "X-Request-Id": "r-42"}, timeout=30)
        wait_for(lambda: '"event": "request"' in (tmp_path / "log").read_text(), 30)
    text = (tmp_path / "log").read_text()
    written = [json.loads(line) for line in text.splitlines()]
    (request,) = [line for line in written if line["event"] == "request"]
    assert (request["request_id"], request["export_id"], request["status"]) == ("r-42", export_id, 200)
    assert request["bytes"] >= len(asked.content) > 0
    of_the_task = {line["logger"] for line in written if line.get("message_export_id") == export_id}
    assert of_the_task == {"rowferry.exports.tasks", "celery.app.trace"}
    assert token not in text
    assert "rf_secret" not in text
