"""The conveyor: source → transform → sink, block by block. It yields how far it is, and never calls back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from rowferry.exports.databases import Reader
from rowferry.exports.databases.reader import BLOCK_ROWS
from rowferry.exports.encoding.blocks import CellBlock, replace_lone_surrogates
from rowferry.exports.encoding.compression import Compressed, Plain, open_compressor
from rowferry.exports.errors import RowferryError, RowsMissing, StorageFault
from rowferry.exports.formats import COMPRESS, FileHeader, FormatWriter, Stream, file_type
from rowferry.exports.integrity import manifest
from rowferry.exports.lifecycle import Claim, FileResult
from rowferry.exports.planning.column_privacy import describe_withheld
from rowferry.exports.planning.computed_columns import Failure
from rowferry.exports.planning.plan import Plan
from rowferry.exports.resources.actor import Identity
from rowferry.exports.storage import storage
from rowferry.exports.translation import count_of

MAX_NAMED_FAILURES = 50
"""Failed rows that the log names; all are counted."""
ADJUSTED = {
    "irregular_values": "{count:,} stored values are not valid for the type of their column and were written as text.",
    "replaced_characters": "{count:,} characters that the format cannot hold were replaced by U+FFFD.",
    "shortened_cells": "{count:,} cells were shortened to what the format can hold.",
    "emptied_cells": "{count:,} values that the type of their column cannot hold were left empty.",
}


@dataclass(slots=True)
class Tally:
    """How far the conveyor is."""

    rows: int = 0
    failed: int = 0
    named_failures: list[Failure] = field(default_factory=list)
    adjustments: Counter[str] = field(default_factory=Counter)
    """What a computed column could not be written as it was."""

    @property
    def batch(self) -> int:
        """Which of the `batches` it is at; 0 = no row has come yet."""
        return batches(self.rows + self.failed)


def file_key(claim: Claim, plan: Plan) -> str:
    """A name that no other attempt can have: the fence is in it."""
    extension, _ = file_type(plan.spec.format, plan.spec.options)
    return f"{claim.export.pk}.{claim.fence}.{extension}"


def batches(total: int) -> int:
    """How many batches so many rows are, as progress counts them."""
    return -(-total // BLOCK_ROWS)


class FileBuilder:
    """One file on its way: iterate `rows()` to the end, then `finish()`; `discard()` where that did not come to pass.

    `expected` = the rows that the reader's snapshot holds. The bytes go through `stream` into `stage` (often the same).
    """

    def __init__(self, claim: Claim, plan: Plan, reader: Reader, expected: int, stream: Stream | None = None) -> None:
        self.claim = claim
        self.plan = plan
        self.reader = reader
        self.expected = expected
        self.tally = Tally()
        self.stage = storage().stage(file_key(claim, plan))
        self._bytes = compress_stream(plan, _Tee(self.stage, stream) if stream else self.stage)
        # A count is promised at the file's head only where it is sure before the end.
        count_is_exact = reader.repeatable and not plan.transform.needed
        header = file_header(
            plan,
            exported_at=reader.snapshot_at,
            export_id=str(claim.export.pk),
            actor=_name(claim.export.actor),
            on_behalf_of=_name(claim.export.on_behalf_of),
            item_count=expected if count_is_exact else None,
        )
        self._writer = plan.writer_class(header, self._bytes)

    def rows(self) -> Iterator[Tally]:
        """Write the file, yielding the tally before the first block and after each."""
        yield from write_rows(self.plan, self.reader, self._writer, self.tally)
        self._bytes.close()

    def finish(self) -> FileResult:
        """Give the whole file its name. RowsMissing: what was written is not what the snapshot held."""
        tally, expected, started = self.tally, self.expected, time.monotonic()
        rows_read = tally.rows + tally.failed
        if self.reader.repeatable and rows_read != expected:
            raise RowsMissing(f"{expected:,} rows were counted, and {rows_read:,} read from the same snapshot.")
        file = self.stage.publish()
        adjustments = self._writer.adjustments + self.reader.adjustments + tally.adjustments
        manifest_data = manifest.describe(
            self.claim.export,
            file,
            self.plan.format_columns,
            as_of=self.reader.snapshot_at,
            expected=expected,
            written=tally.rows,
            failed=tally.failed,
            adjustments=adjustments,
            withheld=self.plan.withheld,
        )
        manifest.write(storage(), file.key, manifest_data)
        storage().sync_names()
        return FileResult(
            file,
            tally.rows,
            tally.failed,
            self.reader.snapshot_at,
            manifest_data,
            notes(self.plan, tally, adjustments),
            round((time.monotonic() - started) * 1000),
        )

    def discard(self, error: BaseException) -> None:
        """Leave nothing of a file that `error` ended.

        One of our own errors says that no row will ever name the file. After any other, such as a connection lost
        during the commit, a file that has its name already is the scheduler's to judge, by the row.
        """
        self.stage.discard()
        if isinstance(error, RowferryError):
            with suppress(StorageFault):
                manifest.remove(storage(), self.stage.key)


@dataclass(frozen=True, slots=True)
class _Tee:
    """Everything to both: the kept file first, then whoever is listening."""

    file: Stream
    listener: Stream

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.listener.write(data)


def compress_stream(plan: Plan, stream: Stream) -> Compressed | Plain:
    """The stream for the plan's sink: it compresses, if the order says so. To be closed after the sink."""
    return open_compressor(stream, plan.spec.options.get(COMPRESS.name))


def write_rows(plan: Plan, reader: Reader, writer: FormatWriter, tally: Tally) -> Iterator[Tally]:
    """Put every row of the plan through the sink, keeping the tally."""
    writer.open()
    yield tally
    pushdown = None if plan.transform.needed else writer.pushdown
    for block in reader.blocks(plan.queryset, plan.expressions, pushdown):
        output_block = _apply_transform(plan, block, tally)
        if output_block.rows:
            writer.write_block(output_block)
        tally.rows += output_block.rows
        yield tally
    writer.close()


def _apply_transform(plan: Plan, block: CellBlock, tally: Tally) -> CellBlock:
    if not plan.transform.needed:
        return block
    output_block, failures = plan.transform.apply(block)
    tally.failed += len(failures)
    tally.named_failures += failures[: MAX_NAMED_FAILURES - len(tally.named_failures)]
    return replace(output_block, data=replace_lone_surrogates(output_block.data, tally.adjustments))


def notes(plan: Plan, tally: Tally, adjustments: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    """What the log shall say of columns withheld, of rows left out and of text that was changed."""
    messages = [(describe_withheld(plan.withheld), "")] if plan.withheld else []
    messages += [(ADJUSTED[name].format(count=count), "") for name, count in adjustments.items()]
    if tally.failed:
        failure_texts = "; ".join(f"{failure.key}: {failure.reason}" for failure in tally.named_failures)
        verb = "was" if tally.failed == 1 else "were"
        lost = f"{count_of(tally.failed, 'row')} could not be computed and {verb} left out."
        messages.append((lost, failure_texts))
    return tuple(messages)


def _name(account: Identity | None) -> str:
    return account["name"] if account else ""


def file_header(
    plan: Plan,
    *,
    exported_at: datetime,
    export_id: str = "",
    actor: str = "",
    on_behalf_of: str = "",
    item_count: int | None = None,
) -> FileHeader:
    """What the file of a plan says of itself."""
    spec = plan.spec
    return FileHeader(
        export_id=export_id,
        resource=spec.resource,
        resource_label=str(plan.resource.label),
        format=spec.format,
        exported_at=exported_at,
        item_count=item_count,
        columns=plan.format_columns,
        filters=spec.filters,
        sort_by=spec.sort_by,
        sort_order=spec.sort_order,
        time_zone=spec.time_zone,
        headers=spec.headers,
        nested=spec.nested,
        actor=actor,
        on_behalf_of=on_behalf_of,
        program=manifest.PROGRAM,
        options=spec.options,
    )
