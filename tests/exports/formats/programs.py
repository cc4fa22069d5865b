"""Other people's programs that read our files: each gives rows of values without the header."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas
import polars

from tests.exports.formats.files import (
    calamine_rows,
    csv_rows,
    excel_rows,
    json_rows,
    ndjson_rows,
    parquet_rows,
    unescape,
)

Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Program:
    """`tells_null` = it knows an empty text from none; the others read both as `""`."""

    name: str
    format: str
    rows: Callable[[bytes], Rows]
    tells_null: bool = True

    def sees(self, value: str | None) -> str | None:
        """What it makes of a text that the file holds."""
        return value if self.tells_null else value or ""


def rows_from_records(read: Callable[[bytes], list[dict[str, Any]]], data: bytes) -> Rows:
    return [list(row.values()) for row in read(data)]


def polars_lines(data: bytes, delimiter: str) -> Rows:
    frame = polars.read_csv(data, separator=delimiter, infer_schema=False)
    return [list(row) for row in frame.rows()]


def pandas_lines(data: bytes, delimiter: str) -> Rows:
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    frame = pandas.read_csv(text, sep=delimiter, dtype=str, keep_default_na=False, na_filter=False, engine="python")
    return values_of(frame)


def polars_objects(data: bytes) -> Rows:
    frame = polars.read_json(data, infer_schema_length=None).select("data").explode("data").unnest("data")
    return [list(row) for row in frame.rows()]


def polars_ndjson(data: bytes) -> Rows:
    return [list(row) for row in polars.read_ndjson(data, infer_schema_length=None).rows()]


def pandas_ndjson(data: bytes) -> Rows:
    frame = pandas.read_json(io.BytesIO(data), lines=True, dtype=False, precise_float=True, encoding="utf-8")
    return values_of(frame)


def polars_parquet(data: bytes) -> Rows:
    return [list(row) for row in polars.read_parquet(data).rows()]


def pandas_parquet(data: bytes) -> Rows:
    return values_of(pandas.read_parquet(io.BytesIO(data), dtype_backend="numpy_nullable"))


def pandas_excel(data: bytes, engine: str) -> Rows:
    """Of the first sheet. Like openpyxl, pandas leaves `_xHHHH_` to its caller where openpyxl reads for it."""
    frame = pandas.read_excel(io.BytesIO(data), engine=engine, dtype=object, keep_default_na=False, na_filter=False)
    after = unescape if engine == "openpyxl" else lambda value: value
    return [[after(value) for value in row] for row in values_of(frame)]


def values_of(frame: pandas.DataFrame) -> Rows:
    return [[plain(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def plain(value: Any) -> Any:
    """None for what pandas has in its place."""
    return (
        None if value is pandas.NA or value is pandas.NaT or (isinstance(value, float) and math.isnan(value)) else value
    )


PROGRAMS = (
    Program("csv", "csv", csv_rows, tells_null=False),
    Program("polars", "csv", partial(polars_lines, delimiter=",")),
    Program("pandas", "csv", partial(pandas_lines, delimiter=","), tells_null=False),
    Program("csv", "tsv", partial(csv_rows, delimiter="\t"), tells_null=False),
    Program("polars", "tsv", partial(polars_lines, delimiter="\t")),
    Program("pandas", "tsv", partial(pandas_lines, delimiter="\t"), tells_null=False),
    Program("json", "json", partial(rows_from_records, json_rows)),
    Program("polars", "json", polars_objects),
    Program("json", "ndjson", partial(rows_from_records, ndjson_rows)),
    Program("polars", "ndjson", polars_ndjson),
    Program("pandas", "ndjson", pandas_ndjson),
    Program("pyarrow", "parquet", partial(rows_from_records, parquet_rows)),
    Program("polars", "parquet", polars_parquet),
    Program("pandas", "parquet", pandas_parquet),
    Program("openpyxl", "excel", excel_rows),
    Program("calamine", "excel", calamine_rows, tells_null=False),
    Program("pandas with openpyxl", "excel", partial(pandas_excel, engine="openpyxl"), tells_null=False),
    Program("pandas with calamine", "excel", partial(pandas_excel, engine="calamine"), tells_null=False),
)
"""A format that is added brings its programs here."""
