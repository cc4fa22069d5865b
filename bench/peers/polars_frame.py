"""polars: the table as one frame, read by ADBC, and the frame's own writers."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bench.table import SELECT

NAME = "polars"
USES = ("polars", "adbc-driver-postgresql", "xlsxwriter")


def frame(url: str) -> pl.DataFrame:
    return pl.read_database_uri(SELECT, url, engine="adbc")


def write_csv(url: str, file: Path) -> None:
    frame(url).write_csv(file)


def write_json(url: str, file: Path) -> None:
    frame(url).write_json(file)


def write_excel(url: str, file: Path) -> None:
    found = frame(url)
    naive = [pl.col(name).dt.replace_time_zone(None) for name in ("created_at", "updated_at")]
    found.with_columns(naive).write_excel(file)


FORMATS = {"csv": write_csv, "excel": write_excel, "json": write_json}
