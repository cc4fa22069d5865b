"""pandas: read_sql in chunks, each chunk appended to the file.

Its Excel writer goes column by column, so XlsxWriter's constant memory, which forgets each row once it has the next,
is out of its reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import sqlalchemy

from bench.table import SELECT

NAME = "pandas in chunks"
USES = ("pandas", "sqlalchemy", "xlsxwriter")
CHUNK = 50_000


def frames(url: str) -> Iterator[pd.DataFrame]:
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect().execution_options(stream_results=True) as connection:
        yield from pd.read_sql(sqlalchemy.text(SELECT), connection, chunksize=CHUNK)


def write_csv(url: str, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        for number, frame in enumerate(frames(url)):
            frame.to_csv(out, index=False, header=number == 0)


def write_json(url: str, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for frame in frames(url):
            frame.to_json(out, orient="records", lines=True, date_format="iso")


def write_excel(url: str, file: Path) -> None:
    options = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
    with pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs=options) as out:
        start = 0
        for frame in frames(url):
            for name in frame.select_dtypes(include="datetimetz"):
                frame[name] = frame[name].dt.tz_localize(None)
            frame.to_excel(out, index=False, header=not start, startrow=start)
            start += len(frame) + (not start)


FORMATS = {"csv": write_csv, "excel": write_excel, "json": write_json}
