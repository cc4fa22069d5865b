"""psycopg's rows through csv.writer."""

from __future__ import annotations

import csv
from pathlib import Path

from bench.peers._rows import rows
from bench.table import NAMES

NAME = "psycopg + csv.writer"
USES = ("psycopg",)


def write_csv(url: str, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(NAMES)
        writer.writerows(rows(url))


FORMATS = {"csv": write_csv}
