"""An export made where it was asked for: in the web process, or in a script."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from structlog.contextvars import bind_contextvars, unbind_contextvars

from rowferry.exports import lifecycle
from rowferry.exports.databases import Reader
from rowferry.exports.errors import Cancelled, ClientGone, Interrupted, RowferryError, UnexpectedFault
from rowferry.exports.execution.pipeline import FileBuilder, Tally, batches
from rowferry.exports.execution.queued import LOG_EVERY, milliseconds
from rowferry.exports.integrity import manifest
from rowferry.exports.lifecycle import Claim
from rowferry.exports.limits.download_slots import DownloadSlot
from rowferry.exports.models import Export
from rowferry.exports.planning.plan import Plan
from rowferry.exports.storage import storage
from rowferry.exports.storage.download import Download, to_download

logger = logging.getLogger(__name__)

BUFFER_BYTES = 4 * 1024 * 1024
"""Bytes made before a client has taken those before them: a slow one keeps a snapshot of the database only for a file
that is larger."""


class SynchronousExport:
    """One export from its first row to its last. Owns the reader from the moment that it is made."""

    def __init__(
        self, claim: Claim, plan: Plan, reader: Reader, expected: int, slot: DownloadSlot | None = None
    ) -> None:
        self.export = claim.export
        self._slot = slot
        self.plan = plan
        self.expected = expected
        self._reader = reader
        self._buffer: list[bytes] = []
        self._file: Download | None = None
        self._claim = claim

    def run(self, *, capture: bool = False) -> Iterator[Tally]:
        """Make the file, yielding the tally at each block. However it ends, the row says so."""
        started = last_logged = time.monotonic()
        rows = 0
        bind_contextvars(export_id=str(self.export.pk))
        builder = None
        try:
            builder = FileBuilder(
                self._claim, self.plan, self._reader, self.expected, _BufferStream(self._buffer) if capture else None
            )
            for tally in builder.rows():
                rows = tally.rows
                if time.monotonic() - last_logged >= LOG_EVERY:
                    last_logged = time.monotonic()
                    self._report_progress(tally, milliseconds(started))
                yield tally
            self.export = lifecycle.complete(self._claim, builder.finish(), milliseconds(started))
            self._file = to_download(self.export, storage().open(self.export.file_key))
            self._delete_unkept(captured=capture)
        except BaseException as error:
            if builder is not None:
                builder.discard(error)
            fault = _to_rowferry_error(error, self.export)
            self._end(fault, rows)
            if isinstance(error, RowferryError) or not isinstance(error, Exception):
                raise
            raise fault from error
        finally:
            self._reader.close()
            unbind_contextvars("export_id")  # by name: a generator may be closed in another context

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the file as they come; begun already, so that what fails at the first row fails before the
        answer."""
        chunks = self._chunks()
        return _PrimedIterator(next(chunks), chunks)

    def file(self) -> Download:
        """The finished file, open, even if it is not kept."""
        assert self._file is not None, "run() has to end first"
        return self._file

    def _chunks(self) -> Iterator[bytes]:
        """The first rows at once, then as far ahead as AHEAD allows."""
        try:
            threshold = 1
            for tally in self.run(capture=True):
                if tally.batch and sum(map(len, self._buffer)) >= threshold:
                    yield self._take()
                    threshold = BUFFER_BYTES
            if self._file is not None:
                self._file.stream.close()
            yield self._take()
        finally:
            if self._slot is not None:
                self._slot.release()

    def _take(self) -> bytes:
        data = b"".join(self._buffer)
        self._buffer.clear()
        return data

    def _report_progress(self, tally: Tally, duration_ms: int) -> None:
        lifecycle.beat(self._claim, tally.rows)
        lifecycle.progress(
            self._claim, tally.rows, batch=tally.batch, batches=batches(self.expected), duration_ms=duration_ms
        )

    def _end(self, fault: RowferryError, rows: int) -> None:
        if isinstance(fault, Cancelled):
            lifecycle.mark_cancelled(self._claim, rows)
        else:
            lifecycle.fail(self._claim, fault, rows)

    def _delete_unkept(self, *, captured: bool) -> None:
        if self.export.keep:
            return
        if self._file is not None and not captured:
            self._file = replace(self._file, stream=storage().detach(self._file.stream))
        lifecycle.delete(self.export, None, "Not kept, as was asked.")
        manifest.remove(storage(), self.export.file_key)


class _BufferStream:
    """A stream that remembers until it is asked."""

    def __init__(self, buffer: list[bytes]) -> None:
        self.write = buffer.append


class _PrimedIterator:
    """An iterator whose first item has been fetched already; closing it closes the rest."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._items = chain((first,), rest)
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        return self._items

    def __next__(self) -> bytes:
        return next(self._items)

    def close(self) -> None:
        self._rest.close()  # type: ignore[attr-defined]


def _to_rowferry_error(error: BaseException, export: Export) -> RowferryError:
    if isinstance(error, RowferryError):
        return error
    if isinstance(error, GeneratorExit):
        return ClientGone("The client closed the connection before the file was whole.")
    if not isinstance(error, Exception):
        return Interrupted("The program was told to end before the file was whole.")
    logger.exception("Export %s failed unexpectedly.", export.pk)
    return UnexpectedFault("A fault in the program stopped the export.")
