"""Where the files of an installation lie, looked at from outside and by other means than the product's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import boto3


class StorageReader(Protocol):
    """A storage, as whoever examines it sees it."""

    def read(self, key: str) -> bytes:
        """A file, whole. OSError if there is none."""

    def list_files(self) -> set[str]:
        """Every file, and every one that is not whole yet."""


class FolderReader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, key: str) -> bytes:
        return (self._path / key).read_bytes()

    def list_files(self) -> set[str]:
        return {path.name for path in self._path.glob("*")}


class BucketReader:
    """Of S3; an upload that was begun and not ended is listed as such."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        endpoint = parse_qs(parts.query)["endpoint_url"][0]
        known = {"aws_access_key_id": "chaos", "aws_secret_access_key": "chaos", "region_name": "us-east-1"}
        self._client: Any = boto3.client("s3", endpoint_url=endpoint, **known)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/") + "/"

    def read(self, key: str) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        except self._client.exceptions.NoSuchKey as error:
            raise FileNotFoundError(key) from error
        data: bytes = answer["Body"].read()
        return data

    def list_files(self) -> set[str]:
        whole = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix).get("Contents", ())
        begun = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._prefix).get("Uploads", ())
        files = {item["Key"].removeprefix(self._prefix) for item in whole}
        return files | {f"{item['Key'].removeprefix(self._prefix)} (upload)" for item in begun}


def storage_reader(environment: Mapping[str, str], folder: Path) -> StorageReader:
    """The one that an installation with this environment has."""
    url = environment.get("STORAGE_URL", "")
    return BucketReader(url) if url.startswith("s3:") else FolderReader(folder)
