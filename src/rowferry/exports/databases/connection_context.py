"""What a project sets on its connections (a tenant, a role, `search_path`), set on the readers' own connections too.

A reader has a connection of its own, and a worker reads in another process, so nothing of the caller's connection
holds there. Two functions of the project carry it over: ROWFERRY_CONNECTION_CONTEXT says what holds when an export is
ordered, ROWFERRY_PREPARE_CONNECTION puts it on a connection. What the first one gives is kept with the export.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string

from rowferry.exports import conf
from rowferry.exports.errors import SourceFault

CONTEXT, PREPARE = "ROWFERRY_CONNECTION_CONTEXT", "ROWFERRY_PREPARE_CONNECTION"


def function_of(setting: str) -> Callable[..., Any] | None:
    """The project's function; None = the setting is empty. ImportError: there is no such function."""
    path = conf.text(setting)
    if not path:
        return None
    function = import_string(path)
    if not callable(function):
        raise ImportError(f"{path} is no function")
    return function  # type: ignore[no-any-return]


def context_of(person: Any) -> Any:
    """What holds for this person here and now, as a JSON value; None = the project says nothing.

    SourceFault: it is no JSON value, so no worker could have it.
    """
    function = function_of(CONTEXT)
    context = None if function is None else function(person)
    try:
        return json.loads(json.dumps(context, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise SourceFault(f"{conf.text(CONTEXT)} ({CONTEXT}) gave no JSON value: {error}") from error


def is_prepared() -> bool:
    """Whether readers' connections are prepared, and so are of no use to the next reader."""
    return bool(conf.text(PREPARE))


def prepare(wrapper: BaseDatabaseWrapper, context: Any) -> None:
    """Call the project's function, within the reader's transaction."""
    function = function_of(PREPARE)
    if function is None:
        return
    function(wrapper, context)
    with wrapper.cursor():
        """Some backends set what they were told when the next cursor is made."""
