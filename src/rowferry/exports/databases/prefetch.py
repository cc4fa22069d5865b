"""Some steps ahead: while an item is worked on, a thread fetches the next ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


STEPS = 4
"""With one, the thread would wait for the interpreter before each fetch, as long as the work takes that it should save:
then nothing was gained. With more than four, nothing more."""


def prefetch(items: Iterator[Item], interrupt: Callable[[], object]) -> Generator[Item, None, None]:
    """The items, and what fetching them raises, in their place.

    It pays where fetching leaves the interpreter to others, as SQLite does while it runs a statement. Closed early,
    `interrupt` is called from here while a fetch may be under way, and that fetch is waited for.
    """
    end_marker = object()
    with ThreadPoolExecutor(1, "prefetch") as executor:
        pending = deque(executor.submit(next, items, end_marker) for _ in range(STEPS))
        try:
            while (item := pending.popleft().result()) is not end_marker:
                pending.append(executor.submit(next, items, end_marker))
                yield item  # type: ignore[misc]
        finally:
            running = [fetch for fetch in pending if not fetch.cancel()]
            if not all(fetch.done() for fetch in running):
                interrupt()
