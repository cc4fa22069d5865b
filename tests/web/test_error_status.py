"""An error has the same status on the page and in the API, whatever its class."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404
from django.test import Client, RequestFactory

from rowferry.api.problems import to_problem
from rowferry.exports.errors import QuotaExceeded, RowferryError
from rowferry.web.decorators import with_page_policy


def every_class(root: type[RowferryError] = RowferryError) -> list[type[RowferryError]]:
    return [root, *(one for child in root.__subclasses__() for one in every_class(child))]


OURS = [cls("A sentence.") for cls in every_class() if cls is not QuotaExceeded]
QUOTA = QuotaExceeded("A sentence.", allowance="exports", limit=1, retry_after=7)
DJANGOS = [kind() for kind in (Http404, PermissionDenied, RequestDataTooBig, SuspiciousOperation)]
DATABASE = [OperationalError(), InterfaceError()]


@pytest.mark.parametrize("error", [*OURS, QUOTA, *DJANGOS, *DATABASE], ids=lambda error: type(error).__name__)
def test_page_and_api_answer_an_error_alike(rf: RequestFactory, error: Exception) -> None:
    def fail(_request: Any) -> Any:
        raise error

    request = rf.get("/")
    request.session = {}  # type: ignore[assignment]
    page, problem = with_page_policy(fail)(request), to_problem(error).response()
    assert page.status_code == problem.status_code
    assert page.headers.get("Retry-After") == problem.headers.get("Retry-After")
    assert (problem.status_code == 503) <= ("Retry-After" in problem)


def test_an_unexpected_error_is_not_hidden(rf: RequestFactory) -> None:
    def fail(_request: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        with_page_policy(fail)(rf.get("/"))


def test_the_page_says_when_the_database_does_not_answer(browser: Client) -> None:
    def silent(*_: Any) -> Any:
        raise OperationalError("the server has gone away")

    with connection.execute_wrapper(silent):
        response = browser.get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "The database does not answer" in response.content.decode()
