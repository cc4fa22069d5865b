"""psycopg's rows, each through orjson, as one array."""

from __future__ import annotations

from pathlib import Path

import orjson

from bench.peers._rows import rows
from bench.table import NAMES

NAME = "psycopg + orjson"
USES = ("psycopg", "orjson")


def write_json(url: str, file: Path) -> None:
    with file.open("wb") as out:
        separator = b"[\n"
        for row in rows(url):
            out.write(separator + orjson.dumps(dict(zip(NAMES, row, strict=True)), option=orjson.OPT_UTC_Z))
            separator = b",\n"
        out.write(b"\n]")


FORMATS = {"json": write_json}
