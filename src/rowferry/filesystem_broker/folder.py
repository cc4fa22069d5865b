"""The spool on disk. A message is one file that changes place by one rename: kill whom you like, it is in one place.

ROOT/QUEUE/tmp/             being written
ROOT/QUEUE/new/             waiting; names sort by time
ROOT/QUEUE/taken/CONSUMER/  handed to one consumer, who holds a lock (flock) on this folder for as long as it lives
ROOT/QUEUE/dead/            nobody could read it

The kernel lets go of a dead process's lock: who can take the lock of somebody else's folder moves its messages back.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import logging
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

logger = logging.getLogger(__name__)

RESCUE_SECONDS = 2.0
DRAFT_SECONDS = 3600.0
PREFETCH_COUNT = 100
"""How many waiting names one look at the folder keeps: a long queue is not sorted anew for every message."""
QUEUE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")

_counter = itertools.count(1)


def unique_name() -> str:
    """A file name nobody else makes; names sort by the time they were made."""
    return f"{time.time_ns():020d}-{os.getpid():07d}-{next(_counter):07d}-{secrets.token_hex(4)}"


def write_whole(draft: Path, final: Path, content: bytes) -> None:
    """Let `final` appear with all of its content or not at all; on return it survives a power cut. One file system."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(final)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class QueueFolder:
    """One queue, shared by any number of processes of one machine. `name`: letters, digits and `_.@-` only."""

    def __init__(self, root: Path, name: str) -> None:
        if not QUEUE_NAME.fullmatch(name):
            raise ValueError(f"A spool cannot hold a queue called {name!r}.")
        self.name = name
        self.root = root
        folder = root / name
        self.drafts, self.waiting = folder / "tmp", folder / "new"
        self.taken, self.dead = folder / "taken", folder / "dead"

    def make(self) -> None:
        """Make the folders, for the owner's eyes only. Harmless when they exist."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.drafts.parent, self.drafts, self.waiting, self.taken, self.dead):
            folder.mkdir(mode=0o700, exist_ok=True)

    def put(self, content: bytes) -> None:
        """Add a message. On return it is on disk."""
        name = f"{unique_name()}.json"
        write_whole(self.drafts / name, self.waiting / name, content)

    def size(self) -> int:
        return sum(1 for _ in self.waiting.iterdir())

    def oldest(self, count: int) -> list[str]:
        """The names of the `count` messages that have waited longest, in order."""
        with os.scandir(self.waiting) as entries:
            return heapq.nsmallest(count, (entry.name for entry in entries))

    def purge(self) -> int:
        """Remove what waits, and say how many that were; what a consumer holds stays its own."""
        return sum(try_remove(message) for message in self.waiting.iterdir())

    def rescue(self) -> int:
        """Move what dead consumers held back to `new/`, and say how many messages that were."""
        rescued = sum(self._rescue(consumer) for consumer in self.taken.iterdir())
        if rescued:
            logger.warning("Queue %s: %d message(s) of a dead consumer wait again.", self.name, rescued)
        return rescued

    def _rescue(self, consumer: Path) -> int:
        try:
            lock = lock_folder(consumer)
        except (BlockingIOError, FileNotFoundError, NotADirectoryError):
            return 0
        try:
            return self.empty(consumer)
        finally:
            os.close(lock)

    def empty(self, consumer: Path) -> int:
        """Move all of a consumer's messages back to `new/`, and its folder away. Only for who holds its lock."""
        with suppress(FileNotFoundError):
            count = sum(try_move(message, self.waiting / message.name) for message in consumer.iterdir())
            consumer.rmdir()
            return count
        return 0

    def tidy(self) -> None:
        """Remove drafts that a writer died over; a living one needs milliseconds."""
        cutoff = time.time() - DRAFT_SECONDS
        for draft in self.drafts.iterdir():
            with suppress(OSError):
                if draft.stat().st_mtime < cutoff:
                    (draft.rmdir if draft.is_dir() else draft.unlink)()


def try_remove(path: Path) -> bool:
    """Whether it was us who removed the file; somebody else may have been faster."""
    with suppress(FileNotFoundError):
        path.unlink()
        return True
    return False


def try_move(source: Path, target: Path) -> bool:
    """Whether it was us who moved the file; somebody else may have been faster."""
    with suppress(FileNotFoundError):
        source.rename(target)
        return True
    return False


def lock_folder(folder: Path) -> int:
    """A descriptor that holds the folder's lock until it is closed; BlockingIOError when somebody alive holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class Claim:
    """What one consumer took from one queue. The lock on its folder says that the consumer lives.

    A forked child gets a copy of the descriptor, and with it a share of the lock: it lets go at once, or a dead
    consumer would look alive for as long as its children run. After that the child's copy of a claim does nothing.
    """

    def __init__(self, queue: QueueFolder) -> None:
        queue.make()
        queue.tidy()
        draft = queue.drafts / unique_name()
        draft.mkdir(mode=0o700)
        self._lock: int | None = lock_folder(draft)
        self._queue = queue
        self._folder = draft.rename(queue.taken / draft.name)  # locked before anybody can see it
        self._prefetched: deque[str] = deque()
        self._rescue_at = 0.0
        _claims.add(self)

    def take(self) -> Iterator[tuple[str, Path]]:
        """Take waiting messages, oldest first, one a step: name and file. Ends when nothing waits."""
        self._rescue_sometimes()
        while name := self._next():
            if try_move(self._queue.waiting / name, self._folder / name):
                yield name, self._folder / name

    def _next(self) -> str | None:
        if not self._prefetched:
            self._prefetched.extend(self._queue.oldest(PREFETCH_COUNT))
        return self._prefetched.popleft() if self._prefetched else None

    def _rescue_sometimes(self) -> None:
        if time.monotonic() >= self._rescue_at:
            self._queue.rescue()
            self._rescue_at = time.monotonic() + RESCUE_SECONDS

    def finish(self, name: str) -> None:
        """Forget a message for good."""
        if self._lock is not None:
            try_remove(self._folder / name)

    def requeue(self, name: str) -> None:
        """Let a message wait again, at its old place in the order."""
        if self._lock is not None:
            try_move(self._folder / name, self._queue.waiting / name)

    def bury(self, name: str, error: Exception) -> None:
        """Keep a message that nobody can read where it troubles no consumer."""
        dead_path = self._queue.dead / name
        logger.error("Queue %s: a message is unreadable (%r), now %s.", self._queue.name, error, dead_path)
        try_move(self._folder / name, dead_path)

    def close(self) -> None:
        """Give everything back and let go of the lock."""
        if self._lock is not None:
            try:
                self._queue.empty(self._folder)
            finally:
                self.release_lock()

    def release_lock(self) -> None:
        """Close the lock's descriptor and touch nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


_claims: WeakSet[Claim] = WeakSet()


def _release_locks_in_child() -> None:
    for claim in list(_claims):
        claim.release_lock()


os.register_at_fork(after_in_child=_release_locks_in_child)
