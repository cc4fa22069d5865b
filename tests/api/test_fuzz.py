"""Requests that nobody thought of, made from the API's own description: no 500, and every answer as described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from schemathesis import GenerationMode

from rowferry.api.models import issue
from rowferry.assets.models import Asset
from tests.api.conftest import ApiClient, content
from tests.support.fuzzing import FuzzReport, fuzz_link_chains, fuzz_operations

EXAMPLES = 15
"""Of each operation and mode; `make fuzz` tries many more."""


@pytest.fixture
def description(owner: User, api: ApiClient, assets: list[Asset]) -> Iterator[Any]:
    """The schema, spoken to in this process; with exports in the history, and on the connection of the test."""
    content(api.create_export(format="json"))
    api.queue_export()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers(owner: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue(owner)}"}


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(description: Any, headers: dict[str, str], mode: GenerationMode) -> None:
    tally = FuzzReport()
    fuzz_operations(tally, description, headers, mode, EXAMPLES)
    assert tally.broken == []
    assert len(tally.operations) == 12
    assert tally.answers(500) == 0


def test_every_answer_of_a_chain_is_as_described(description: Any, headers: dict[str, str]) -> None:
    tally = FuzzReport()
    fuzz_link_chains(tally, description, headers, 10)
    assert tally.broken == []
    assert "POST /api/v1/{resource}/export" in tally.operations
    assert any("{export_id}" in operation for operation in tally.operations)
