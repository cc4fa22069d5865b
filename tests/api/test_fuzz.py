"""Requests that nobody thought of, made from the API's own description: no 500, and every answer as described."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from rowferry.api.models import issue
from rowferry.assets.models import Asset
from tests.api.conftest import Caller, content

load_all_checks()
EXAMPLES = 30
"""Of each operation and mode."""


@pytest.fixture
def description(owner: User, api: Caller, assets: list[Asset]) -> Iterator[Any]:
    """The schema, spoken to in this process; with exports in the history, and on the connection of the test."""
    content(api.order(format="json"))
    api.queued()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(description: Any, owner: User, mode: GenerationMode) -> None:
    """What no schema can say (names of columns) may be refused: positive data need not be accepted."""
    headers = {"Authorization": f"Bearer {issue(owner)}"}
    tried = Counter[str]()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(data=st.data())
    def fuzz(operation: Any, data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
        tried[operation.label] += 1

    for found in description.get_all_operations():
        with suppress(Unsatisfiable):
            fuzz(found.ok())
    assert len(tried) == 11
