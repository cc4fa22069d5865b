"""Compressed files through the API: the answer, the queue, the dry run, ranges and digests."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import zstandard

from rowferry.assets.models import Asset
from rowferry.exports.models import Export
from rowferry.exports.storage import storage
from tests.api.conftest import ApiClient, content, create_assets, problem

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
TYPES = {"gzip": ("application/gzip", "gz"), "zstd": ("application/zstd", "zst")}
FORMATS = ("csv", "json", "ndjson", "tsv")
every_packing = pytest.mark.parametrize("compress", TYPES)


def plain(api: ApiClient, name: str) -> bytes:
    return content(api.create_export(format=name, columns=["id", "name"]))


@every_packing
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_comes_compressed_with_its_type_and_name(
    api: ApiClient, assets: list[Asset], name: str, compress: str
) -> None:
    answer = api.create_export(format=name, columns=["id", "name"], **{name: {"compress": compress}})
    content_type, suffix = TYPES[compress]
    data = content(answer)
    assert answer.status_code == 200
    assert answer["Content-Type"] == content_type
    assert f'.{name}.{suffix}"' in answer["Content-Disposition"]
    assert int(answer["Content-Length"]) == len(data)
    assert "Content-Encoding" not in answer
    if name == "json":
        assert json.loads(UNPACK[compress](data))["data"] == json.loads(plain(api, name))["data"]
    else:
        assert UNPACK[compress](data) == plain(api, name)


def test_a_stream_has_its_type_and_its_first_rows_can_be_read_at_once(api: ApiClient, settings: Any, db: None) -> None:
    settings.ROWFERRY_QUEUE_ABOVE = settings.ROWFERRY_REQUEST_ROW_LIMIT = 10_000
    create_assets(5_000)
    answer = api.create_export(columns=["id"], csv={"compress": "gzip", "bom": False})
    chunks = iter(answer.streaming_content)
    assert answer["Content-Type"] == "application/gzip"
    assert '.csv.gz"' in answer["Content-Disposition"]
    first = next(chunks)
    assert zlib.decompressobj(31).decompress(first).count(b"\r\n") > 1_000
    assert gzip.decompress(first + b"".join(chunks)).count(b"\r\n") == 5_001


@every_packing
def test_a_queued_file_is_kept_hashed_and_served_compressed(api: ApiClient, compress: str) -> None:
    create_assets(12)
    export = api.run_export(csv={"compress": compress}, columns=["id"])
    content_type, suffix = TYPES[compress]
    assert export.status == "completed"
    assert export.file_key == f"{export.pk}.{export.fence}.csv.{suffix}"
    assert export.filename == f"assets_{export.created_at:%Y-%m-%d}.csv.{suffix}"
    answer = api.get(f"/exports/{export.pk}/download")
    data = content(answer)
    digest = hashlib.sha256(data)
    assert answer["Content-Type"] == content_type
    assert f'"{export.filename}"' in answer["Content-Disposition"]
    assert (len(data), digest.hexdigest()) == (export.file_size, export.sha256)
    assert answer["ETag"] == f'"{export.sha256}"'
    assert base64.b64encode(digest.digest()).decode() in answer["Repr-Digest"]
    assert UNPACK[compress](data).count(b"\r\n") == 13
    assert storage().open(export.file_key).read() == data


def test_a_range_is_one_of_the_compressed_bytes(api: ApiClient, assets: list[Asset]) -> None:
    export = api.run_export(csv={"compress": "gzip"})
    whole = content(api.get(f"/exports/{export.pk}/download"))
    answer = api.get(f"/exports/{export.pk}/download", range="bytes=2-9")
    assert answer.status_code == 206
    assert answer["Content-Type"] == "application/gzip"
    assert answer["Content-Range"] == f"bytes 2-9/{len(whole)}"
    assert content(answer) == whole[2:10]


def test_a_dry_run_shows_rows_and_estimates_the_compressed_size(api: ApiClient) -> None:
    create_assets(15)
    sizes = {}
    for compress in ("none", "gzip", "zstd"):
        answer = api.create_export(csv={"compress": compress}, dry_run=True)
        assert answer.status_code == 200
        assert len(answer.json()["preview"]) == 10
        sizes[compress] = answer.json()["estimated_file_size"]
    assert 0 < sizes["gzip"] < sizes["none"]
    assert 0 < sizes["zstd"] < sizes["none"]
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "body, field",
    [
        ({"csv": {"compress": "zip"}}, "csv.compress"),
        ({"csv": {"compress": True}}, "csv.compress"),
        ({"csv": {"compress": ""}}, "csv.compress"),
        ({"format": "excel", "excel": {"compress": "gzip"}}, "excel.compress"),
        ({"format": "parquet", "parquet": {"compress": "gzip"}}, "parquet.compress"),
        ({"format": "ndjson", "ndjson": {"bom": True}}, "ndjson.bom"),
        ({"format": "tsv", "tsv": {"delimiter": ","}}, "tsv.delimiter"),
        ({"format": "tsv", "nested": True}, "nested"),
        ({"format": "parquet", "nested": True}, "nested"),
        ({"compress": "gzip"}, "compress"),
    ],
)
def test_a_wrong_choice_is_named(api: ApiClient, body: dict[str, Any], field: str) -> None:
    assert list(problem(api.create_export(**body), 422)["errors"]) == [field]


def test_the_catalogue_says_what_there_is_to_choose(api: ApiClient) -> None:
    formats = {one["name"]: one for one in api.get("/resources/assets").json()["formats"]}
    (option,) = [one for one in formats["ndjson"]["options"] if one["name"] == "compress"]
    assert (option["default"], option["choices"], option["missing"]) == ("none", ["none", "gzip", "zstd"], {})
