"""The rows and columns of a finished file, counted by other means than it was written with: Python's own readers.

A file is read as a stream; its rows are not kept.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINKED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ABOUT = "About this export"
"""The sheet of a workbook that holds no rows of the export."""
DATA = '"data":['
Spec = Mapping[str, Any]


class Unreadable(Exception):
    """The file is not of the format that it should be; says why."""


@dataclass(frozen=True, slots=True)
class Count:
    """`columns` = what its header says; None = it has none to read (no row of NDJSON, or rows that are nested)."""

    rows: int
    columns: list[str] | None


def count(file: BinaryIO, format: str, spec: Spec) -> Count:  # noqa: A002
    """Read a file of this format, made as the spec of its manifest says. Unreadable: it is something else, or what
    would read it is not installed."""
    read = READERS.get(format)
    if read is None:
        raise Unreadable(f"there is no reader for {format}")
    try:
        return read(UNPACKED[spec.get("options", {}).get("compress", "none")](file), spec)
    except (ValueError, KeyError, OSError, EOFError, csv.Error, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise Unreadable(f"it cannot be read as {format}: {error}") from error
    except ImportError as error:
        raise Unreadable(f"to read it, install {error.name}") from error


def _zstd(file: BinaryIO) -> Any:
    return importlib.import_module("zstandard").ZstdDecompressor().stream_reader(file)


UNPACKED: Mapping[str, Callable[[BinaryIO], Any]] = {
    "none": lambda file: file,
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "zstd": _zstd,
}


def _delimited_counter(delimiter: str) -> Callable[[Any, Spec], Count]:
    def read(file: Any, spec: Spec) -> Count:
        chosen = spec.get("options", {}).get("delimiter", delimiter)
        text = io.TextIOWrapper(io.BufferedReader(file), "utf-8-sig", newline="")
        lines = csv.reader(text, delimiter={"tab": "\t"}.get(chosen, chosen))
        with any_length():
            columns = next(lines)
            return Count(sum(1 for _ in lines), columns)

    return read


@contextmanager
def any_length() -> Iterator[None]:
    """Fields of whatever length, and afterwards the limit as it was: the csv module has one for the whole process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _json(file: Any, _spec: Spec) -> Count:
    """One row a line, between a line that begins the object and one that ends it."""
    lines = io.BufferedReader(file)
    begin = lines.readline().decode().rstrip()
    if not begin.endswith(DATA):
        raise ValueError("its first line does not begin the rows")
    rows, last = 0, b""
    for line in lines:
        if line.startswith(b"]"):
            last = line + lines.read(2)
            break
        json.loads(line.rstrip(b",\r\n"))
        rows += 1
    about = json.loads(f"{begin}{last.decode()}")
    if about["data"]:
        raise ValueError("there are rows where none should be")
    return Count(rows, list(about["columns"]))


def _ndjson(file: Any, spec: Spec) -> Count:
    rows, columns = 0, None
    for line in io.BufferedReader(file):
        row = json.loads(line)
        columns = columns or list(row)
        rows += 1
    return Count(rows, None if spec.get("nested") else columns)


def _excel(file: Any, _spec: Spec) -> Count:
    rows, columns = 0, list[str]()
    with zipfile.ZipFile(file) as book:
        for path in _sheets(book):
            with book.open(path) as sheet:
                found = _rows(sheet)
                titles = next(found)
                if columns and titles != columns:
                    raise ValueError("its sheets have other columns than the first")
                columns = titles
                rows += sum(1 for _ in found)
    return Count(rows, columns)


def _sheets(book: zipfile.ZipFile) -> Iterator[str]:
    """Where the sheets with rows are, in their order."""
    links = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  (expat bounds expansion)
    target = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{MAIN}sheet"):  # noqa: S314
        if sheet.get("name") != ABOUT:
            yield f"xl/{target[sheet.get(LINKED)].removeprefix('/xl/')}"


def _rows(sheet: Any) -> Iterator[list[str]]:
    """The text of each row's cells."""
    for _, element in ElementTree.iterparse(sheet):  # noqa: S314
        if element.tag == f"{MAIN}row":
            yield ["".join(cell.itertext()) for cell in element]
            element.clear()
        elif element.tag == f"{MAIN}sheetData":
            return


def _parquet(file: Any, _spec: Spec) -> Count:
    found: Any = importlib.import_module("pyarrow.parquet").ParquetFile(file)
    return Count(found.metadata.num_rows, list(found.schema_arrow.names))


READERS: Mapping[str, Callable[[Any, Spec], Count]] = {
    "csv": _delimited_counter(","),
    "tsv": _delimited_counter("\t"),
    "json": _json,
    "ndjson": _ndjson,
    "excel": _excel,
    "parquet": _parquet,
}
"""By the name of a format."""
