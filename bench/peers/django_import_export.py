"""django-import-export: a ModelResource, its dataset, and the dataset's export."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from import_export import resources

from bench.peers._django import Asset
from bench.table import NAMES

NAME = "django-import-export"
USES = ("django-import-export", "tablib", "openpyxl")


class AssetResource(resources.ModelResource):
    """All columns."""

    class Meta:
        model = Asset
        fields = NAMES
        export_order = NAMES


def write(format_name: str, url: str, file: Path) -> None:
    data = AssetResource().export(queryset=Asset.objects.order_by("id")).export(format_name)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())


FORMATS = {"csv": partial(write, "csv"), "excel": partial(write, "xlsx"), "json": partial(write, "json")}
