"""The engine alone: `python -m bench.engine_runs engine FORMAT FILE [ROWS]`: reader, transform and sink, no export row.

`python -m bench.engine_runs engine FORMAT` prints instead the statement that it would have PostgreSQL copy.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

from rowferry.exports.databases import Reader, open_reader
from rowferry.exports.execution.pipeline import Tally, write_rows
from rowferry.exports.formats import FileHeader
from rowferry.exports.planning.plan import Plan, build_plan
from rowferry.exports.planning.spec import ExportSpec


def plan_assets(format_name: str, rows: int | None) -> Plan:
    """The plan of all assets, or of the first so many by their key."""
    plan = build_plan(ExportSpec.parse("assets", {"format": format_name}), None)
    return plan if rows is None else replace(plan, queryset=plan.queryset.filter(pk__lte=rows))


def file_header(plan: Plan, reader: Reader) -> FileHeader:
    return FileHeader(
        export_id=str(uuid.uuid4()),
        resource="assets",
        resource_label=str(plan.resource.label),
        format=plan.spec.format,
        exported_at=reader.snapshot_at,
        item_count=reader.count(plan.queryset),
        columns=plan.format_columns,
        options=plan.spec.options,
    )


def export(format_name: str, file: Path, rows: int | None) -> float:
    """Seconds from the request to the closed file."""
    started = time.perf_counter()
    plan = plan_assets(format_name, rows)
    with open_reader(plan.queryset.db) as reader, file.open("wb", buffering=0) as stream:
        for _ in write_rows(plan, reader, plan.writer_class(file_header(plan, reader), stream), Tally()):
            pass
    return time.perf_counter() - started


def copy_statement(format_name: str) -> str:
    """The SQL of the read, its parameters bound."""
    plan = plan_assets(format_name, None)
    with open_reader(plan.queryset.db) as reader:
        cells = {f"c{i}": one.checked_sql(reader.value_sql) for i, one in enumerate(plan.expressions)}
        sql, params = reader.compile(plan.queryset.annotate(**cells).values_list(*cells))
        with reader.wrapper.connection.cursor() as cursor:
            return str(cursor.mogrify(sql, params))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(copy_statement(sys.argv[1]))
    else:
        limit = int(sys.argv[3]) if len(sys.argv) > 3 else None
        loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": export(sys.argv[1], Path(sys.argv[2]), limit), "loaded": loaded}))
