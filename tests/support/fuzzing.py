"""Requests made from the API's own description: one by one, in chains along its links, with hostility."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.stateful import run_state_machine_as_test
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from tests.support.malformed_requests import some_body, some_headers

load_all_checks()
NOT_CHECKED = [positive_data_acceptance]
"""What no schema can say (names of columns) may be refused."""
OF_HOSTILE = [*NOT_CHECKED, negative_data_rejection, ignored_auth]
"""Whether a hostile request is a right one by chance, or has no right token, these checks do not know."""
STEPS = 6
"""Of one chain."""


@dataclass
class FuzzReport:
    """How many requests, by operation and status; and which answers were not as described, or of 500 and more."""

    tried: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def check(self, case: Any, response: Any, not_checked: list[Any], headers: dict[str, str] | None = None) -> None:
        """`headers` = those that were sent along: the check of authentication has to know them."""
        label = case.operation.label
        self.tried[label, response.status_code] += 1
        try:
            sent = {"headers": headers} if headers else {}
            case.validate_response(response, excluded_checks=not_checked, headers=headers, transport_kwargs=sent)
        except (Failure, FailureGroup) as error:
            self.broken.append(f"{label}: {error}")

    @property
    def requests(self) -> int:
        return self.tried.total()

    @property
    def operations(self) -> set[str]:
        return {label for label, _ in self.tried}

    def answers(self, above: int = 0) -> int:
        """How many answers have this status or more."""
        return sum(number for (_, status), number in self.tried.items() if status >= above)


def how_many(examples: int, **more: Any) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
        **more,
    )


def fuzz_operations(
    tally: FuzzReport, description: Any, headers: Mapping[str, str], mode: GenerationMode, examples: int, start: int = 0
) -> None:
    """So many requests to each operation, each answer checked against the description."""

    @seed(start)
    @how_many(examples)
    @given(data=st.data())
    def fuzz(operation: Any, data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        tally.check(case, case.call(headers=dict(headers)), NOT_CHECKED, dict(headers))

    for found in description.get_all_operations():
        with suppress(Unsatisfiable):
            fuzz(found.ok())


def fuzz_link_chains(
    tally: FuzzReport, description: Any, headers: Mapping[str, str], chains: int, start: int = 0
) -> None:
    """So many chains along the links, each answer checked."""

    class Chain(description.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": dict(headers)}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            # Who may what is another test's; that check takes our token for one that it made up.
            tally.check(case, response, [*NOT_CHECKED, ignored_auth])

    run_state_machine_as_test(seed(start)(Chain), settings=how_many(chains, stateful_step_count=STEPS))


def fuzz_malformed_requests(
    tally: FuzzReport, description: Any, headers: Mapping[str, str], examples: int, start: int = 0
) -> None:
    """So many requests to each operation over the wire, with headers and a body that no client would send."""
    wire = requests.Session()

    @seed(start)
    @how_many(examples)
    @given(data=st.data())
    def fuzz(operation: Any, data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        known = case.as_transport_kwargs(headers=dict(headers))
        hostile = dict(known.pop("headers", None) or {}) | data.draw(some_headers)
        body = data.draw(some_body(known.pop("json", None)))
        known.pop("data", None)
        answer = wire.request(**known, headers=hostile, data=body, allow_redirects=False, timeout=60)
        tally.check(case, answer, OF_HOSTILE)

    for found in description.get_all_operations():
        fuzz(found.ok())
