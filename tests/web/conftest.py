"""A browser for each of the two people, and what a page holds when it is read as HTML."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rowferry.exports.tracking import history


class Page(HTMLParser):
    """The elements of a page as (tag, attributes), in their order."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = response.content.decode()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [a for t, a in self.elements if t == tag and all(a.get(n) == v for n, v in wanted.items())]

    def values(self, tag: str, **wanted: str) -> list[str]:
        return [attributes.get("value", "") for attributes in self.all(tag, **wanted)]


@pytest.fixture
def browser(client: Client, owner: User) -> Client:
    """The owner's."""
    client.force_login(owner)
    return client


@pytest.fixture
def other_browser(stranger: User) -> Client:
    """The stranger's."""
    client = Client()
    client.force_login(stranger)
    return client


@pytest.fixture
def queue_every_export(settings: Any) -> None:
    """Whatever has a row is queued."""
    settings.ROWFERRY_QUEUE_ABOVE = 0


@pytest.fixture
def exports(owner: User) -> Callable[[], list[Any]]:
    """The owner's exports, newest first."""
    return lambda: history(owner, {}).items
