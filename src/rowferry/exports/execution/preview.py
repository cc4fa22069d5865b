"""A dry run: what an export would hold, how big it would be, and what to know before it is made. Stores nothing."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import IntegerField, Q, Sum, Value
from django.db.models.functions import Length

from rowferry.exports.databases import Reader, Size, context_of, open_reader
from rowferry.exports.encoding.value_types import FORMULA_STARTS, TEXTS
from rowferry.exports.execution.pipeline import Tally, compress_stream, file_header, write_rows
from rowferry.exports.models import Export, Mode, ModeReason, Status
from rowferry.exports.planning.column_privacy import describe_withheld
from rowferry.exports.planning.plan import Plan, build_plan, count_limit, decide
from rowferry.exports.resources.paths import field_at

SAMPLE = 200
"""Rows that the size is estimated from."""
SHOWN = 10
ROWS_A_SECOND = 50_000
"""What a worker is sure to do, for the estimate of a wait; measured speeds are several times that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`rows` = the first ten as they would be written; `size` in bytes and `wait` in seconds are estimates."""

    format: str
    mode: Mode
    mode_reason: ModeReason
    total: int
    exact: bool
    rows: list[dict[str, Any]]
    size: int
    wait: int
    warnings: list[str]


def run_preview(plan: Plan, asynchronous: bool | None) -> Preview:
    """The preview of a plan, from one snapshot."""
    with open_reader(plan.queryset.db, context_of(plan.person)) as reader:
        size = reader.size(plan.queryset, count_limit())
        total = size.rows
        mode, reason = decide(size, asynchronous)
        rows = json.loads(_render_sample(_as_json(plan), reader, SHOWN))["data"]
        file_size = _estimate_size(plan, reader, total)
        warnings = list(_warnings(plan, size))
    wait = estimated_wait(total) if mode == Mode.QUEUED else 0
    return Preview(
        format=plan.spec.format,
        mode=mode,
        mode_reason=reason,
        total=total,
        rows=rows,
        exact=size.exact,
        size=file_size,
        wait=wait,
        warnings=warnings,
    )


def estimated_wait(total: int, export: Export | None = None) -> int:
    """Seconds until a queued export of so many rows is done, what waits besides it included."""
    waiting = Export.objects.filter(mode=Mode.QUEUED, status__in=(Status.PENDING, Status.PROCESSING))
    if export is not None:
        waiting = waiting.exclude(pk=export.pk)
    rows_ahead = waiting.aggregate(rows=Sum("total_items"))["rows"] or 0
    return max(1, math.ceil((total + rows_ahead) / ROWS_A_SECOND))


def _as_json(plan: Plan) -> Plan:
    """The same rows as JSON, whatever the format; a guard of the format stays to be seen."""
    options = {"formula_guard": plan.spec.options.get("formula_guard", False)}
    spec = replace(plan.spec, format="json", options=options)
    return build_plan(spec, plan.person)


def _render_sample(plan: Plan, reader: Reader, rows: int) -> bytes:
    stream = io.BytesIO()
    compressor = compress_stream(plan, stream)
    writer = plan.writer_class(file_header(plan, exported_at=reader.snapshot_at), compressor)
    for _ in write_rows(replace(plan, queryset=plan.queryset[:rows]), reader, writer, Tally()):
        pass
    compressor.close()
    return stream.getvalue()


def _estimate_size(plan: Plan, reader: Reader, total: int) -> int:
    sample_rows = min(total, SAMPLE)
    empty_size = len(_render_sample(plan, reader, 0)) if total > sample_rows else 0
    sample_size = len(_render_sample(plan, reader, SAMPLE))
    return sample_size if total <= sample_rows else round(empty_size + (sample_size - empty_size) / sample_rows * total)


def _warnings(plan: Plan, size: Size) -> Iterator[str]:
    total = size.rows
    if not size.exact:
        yield "The number of rows is an estimate: a table of this size is not counted before the export begins."
    max_rows, max_cell = plan.writer_class.max_rows, plan.writer_class.max_cell
    if max_rows is not None and total > max_rows - 1:
        sheets = math.ceil(total / (max_rows - 1))
        yield f"One sheet holds {max_rows:,} rows with its header: there will be {sheets} sheets."
    if max_cell is not None and _has_long_text(plan, max_cell):
        yield f"Some text is longer than the {max_cell:,} characters of a cell: it will be shortened and counted."
    if plan.withheld:
        yield describe_withheld(plan.withheld)
    if plan.spec.options.get("formula_guard") and _has_formula(plan):
        yield "Some text looks like a formula: it gets a leading ' so that no spreadsheet runs it."


def _text_paths(plan: Plan) -> list[str]:
    """Where text is that is written as it is: nobody may be told what a withheld column looks like."""
    visible_columns = (c for c in plan.columns if c.compute is None and c.name not in plan.withheld)
    return [c.path for c in visible_columns if c.kind in TEXTS and isinstance(c.path, str)]


def _has_formula(plan: Plan) -> bool:
    condition = Q()
    for path in _text_paths(plan):
        for character in FORMULA_STARTS:
            condition |= Q(**{f"{path}__startswith": character})
    return bool(condition) and bool(plan.queryset.order_by().filter(condition).exists())


def _has_long_text(plan: Plan, max_length: int) -> bool:
    unbounded_paths = [
        path
        for path in _text_paths(plan)
        if (field_at(plan.resource.model, path).max_length or max_length + 1) > max_length
    ]
    if not unbounded_paths:
        return False
    lengths: dict[str, Any] = {f"rowferry_{i}": Length(path) for i, path in enumerate(unbounded_paths)}
    condition = Q()
    for name in lengths:
        condition |= Q(**{f"{name}__gt": Value(max_length, IntegerField())})
    return bool(plan.queryset.order_by().annotate(**lengths).filter(condition).exists())
