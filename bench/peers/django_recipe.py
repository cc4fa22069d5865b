"""The recipe of Django's documentation for big CSV files: an Echo, csv.writer, StreamingHttpResponse."""

from __future__ import annotations

import csv
from pathlib import Path

from django.http import StreamingHttpResponse

from bench.peers._django import Asset
from bench.table import NAMES

NAME = "the recipe of Django's documentation"
USES = ("Django", "psycopg")


class Echo:
    """Gives back what is written."""

    def write(self, value: str) -> str:
        return value


def write_csv(url: str, file: Path) -> None:
    writer = csv.writer(Echo())
    rows = Asset.objects.order_by("id").values_list(*NAMES).iterator()
    response = StreamingHttpResponse(
        (writer.writerow(row) for source in ([NAMES], rows) for row in source), content_type="text/csv"
    )
    with file.open("wb") as out:
        for chunk in response:
            out.write(chunk)


FORMATS = {"csv": write_csv}
