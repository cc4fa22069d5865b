"""The rows and columns of a finished file, counted by the reader of its format."""

from __future__ import annotations

import csv
import gzip
import importlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.formats import format_writers


class Unreadable(Exception):
    """The file is not of the format that it should be; says why."""


def count(file: BinaryIO, format: str, spec: Spec) -> RowCount | None:  # noqa: A002
    """Count the rows of a file that was made as the spec of its manifest says; None = no reader for this format.

    Raises Unreadable if the file is something else, or if what reads it is not installed.
    """
    writer = format_writers().get(format)
    if writer is None:
        return None
    try:
        return writer.count_rows(UNPACKED[spec.get("options", {}).get("compress", "none")](file), spec)
    except (ValueError, KeyError, OSError, EOFError, csv.Error) as error:
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
