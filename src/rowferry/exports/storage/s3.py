"""Files as objects of a bucket: written in parts while they are made, and not there before the last part is.

An object appears whole or not at all, so a key needs no second name while it is written. What a process leaves of an
upload when it dies is listed by S3 itself, and here under the key with PART_SUFFIX behind it.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import SplitResult, parse_qs, unquote

from django.core.exceptions import ImproperlyConfigured
from django.utils.http import content_disposition_header

from rowferry.exports.errors import StorageFault
from rowferry.exports.persistent_names import PART_SUFFIX
from rowferry.exports.storage.interface import Stage, Storage

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
except ImportError as error:
    raise ImproperlyConfigured("STORAGE_URL: s3:// needs boto3: install rowferry[s3].") from error

T = TypeVar("T")

PART_SIZE = 8 * 1024 * 1024
"""Bytes. S3 takes 10,000 parts of at least 5 MiB: enough for 80 GB."""
READ_SIZE = 256 * 1024
ATTEMPTS = 5
"""Of one request, and of one read that breaks off."""
MISSING_CODES = frozenset({"404", "NoSuchKey", "NotFound"})
FAULTS = (BotoCoreError, ClientError, HTTPClientError, OSError)
OPTIONS = ("endpoint_url", "region")


@cache
def _client(endpoint_url: str | None, region: str | None, _process: int) -> Any:
    """A client of this process: sockets do not survive a fork. Threads may share it."""
    path_style = {"addressing_style": "path"} if endpoint_url else {}
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            signature_version="s3v4",
            s3=path_style,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class S3Storage(Storage):
    """`s3://bucket/prefix?endpoint_url=…&region=…`; who we are comes from the environment, as for every AWS program."""

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None, region: str | None) -> None:
        self.bucket, self.prefix = bucket, prefix
        self._endpoint_url, self._region = endpoint_url, region

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def client(self) -> Any:
        return _client(self._endpoint_url, self._region, os.getpid())

    def location(self, key: str) -> dict[str, str]:
        """Bucket and key, as the client wants them."""
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def stage(self, key: str) -> S3Stage:
        return S3Stage(self, key)

    def open(self, key: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(S3File(self, key, self.size(key)), READ_SIZE))

    def size(self, key: str) -> int:
        """Bytes of a file. FileNotFoundError if it is gone."""
        head = call_s3("The file could not be opened", self.client.head_object, **self.location(key))
        return int(head["ContentLength"])

    def detach(self, stream: BinaryIO) -> BinaryIO:
        copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (whoever reads it closes it)
        with stream:
            shutil.copyfileobj(stream, copy, PART_SIZE)
        copy.seek(0)
        return copy

    def delete(self, key: str) -> None:
        if key.endswith(PART_SUFFIX):
            self._abort(key.removesuffix(PART_SUFFIX))
        else:
            call_s3("The file could not be removed", self.client.delete_object, **self.location(key))

    def keys(self, older_than: float) -> Iterator[str]:
        for item in self._list_items("list_objects_v2", "Contents"):
            if item["LastModified"].timestamp() < older_than:
                yield item["Key"].removeprefix(self.prefix)
        for item in self._list_items("list_multipart_uploads", "Uploads"):
            if item["Initiated"].timestamp() < older_than:
                yield item["Key"].removeprefix(self.prefix) + PART_SUFFIX

    def link(self, key: str, filename: str, content_type: str, expires_in: timedelta) -> str | None:
        self.size(key)
        headers = {
            "ResponseContentDisposition": content_disposition_header(True, filename) or "attachment",
            "ResponseContentType": content_type,
            "ResponseCacheControl": "private, no-store",
        }
        ttl = int(expires_in.total_seconds())
        url: str = self.client.generate_presigned_url("get_object", {**self.location(key), **headers}, ExpiresIn=ttl)
        return url

    def _abort(self, key: str) -> None:
        full_key = self.prefix + key
        for item in self._list_items("list_multipart_uploads", "Uploads", key):
            if item["Key"] == full_key:
                self.abort(key, item["UploadId"])

    def abort(self, key: str, upload: str) -> None:
        """End an upload; one that has ended already is no error."""
        with suppress(FileNotFoundError):
            abort = self.client.abort_multipart_upload
            call_s3("The upload could not be ended", abort, **self.location(key), UploadId=upload)

    def _listing_args(self, key: str) -> dict[str, str]:
        """What lies directly under the prefix: what is deeper is somebody else's."""
        return {"Bucket": self.bucket, "Prefix": self.prefix + key, "Delimiter": "/"}

    def _list_items(self, operation: str, name: str, key: str = "") -> Iterator[dict[str, Any]]:
        pages = iter(self.client.get_paginator(operation).paginate(**self._listing_args(key)))
        while page := call_s3("The files could not be listed", next, pages, None):
            # Not every server heeds the delimiter for uploads, and `tidy` deletes what is listed.
            yield from (item for item in page.get(name, ()) if "/" not in item["Key"].removeprefix(self.prefix))


class S3Stage(Stage):
    """An upload in parts, begun when there is enough for the first; less than that is one request at the end."""

    def __init__(self, storage: S3Storage, key: str) -> None:
        super().__init__(key)
        self._storage = storage
        self._buffer = bytearray()
        self._upload = ""
        self._parts: list[dict[str, Any]] = []

    def _append(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= PART_SIZE:
            self._send(bytes(self._buffer[:PART_SIZE]))
            del self._buffer[:PART_SIZE]

    def _send(self, data: bytes) -> None:
        client, location = self._storage.client, self._storage.location(self.key)
        if not self._upload:
            upload = call_s3("The file could not be begun", client.create_multipart_upload, **location)
            self._upload = upload["UploadId"]
        number = len(self._parts) + 1
        part_args = {"UploadId": self._upload, "PartNumber": number, "Body": data}
        response = call_s3("The file could not be written", client.upload_part, **location, **part_args)
        self._parts.append({"PartNumber": number, "ETag": response["ETag"]})

    def _finish(self) -> None:
        if not self._upload:
            location = self._storage.location(self.key)
            call_s3(
                "The file could not be written", self._storage.client.put_object, **location, Body=bytes(self._buffer)
            )
            return
        if self._buffer:
            self._send(bytes(self._buffer))
        self._complete()
        self._upload = ""

    def _complete(self) -> None:
        """A request whose answer was lost is sent again, and then finds no upload: the object says how it ended."""
        complete, parts = self._storage.client.complete_multipart_upload, {"Parts": self._parts}
        try:
            location = self._storage.location(self.key)
            call_s3(
                "The file could not be finished", complete, **location, UploadId=self._upload, MultipartUpload=parts
            )
        except FileNotFoundError as error:
            if not self._exists():
                raise StorageFault("The file could not be finished: its upload is gone.") from error

    def _exists(self) -> bool:
        try:
            return self._storage.size(self.key) == self.size
        except FileNotFoundError:
            return False

    def discard(self) -> None:
        self._buffer.clear()
        if self._upload:
            with suppress(StorageFault):
                self._storage.abort(self.key, self._upload)


class S3File(io.RawIOBase):
    """An object, read from wherever it is sought; a connection that breaks is taken up where it broke."""

    def __init__(self, storage: S3Storage, key: str, size: int) -> None:
        super().__init__()
        self._storage, self._key, self._size = storage, key, size
        self._position = 0
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._close_body()
        self._position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._size:
            return 0
        for tries_left in reversed(range(ATTEMPTS)):
            try:
                data = self._read(len(buffer))
                break
            except (*FAULTS, StorageFault) as error:
                self._close_body()
                if not tries_left:
                    raise StorageFault(f"The file could not be read: {describe_s3_error(error)}") from error
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, size: int) -> bytes:
        if self._body is None:
            get, location = self._storage.client.get_object, self._storage.location(self._key)
            self._body = call_s3("The file could not be read", get, **location, Range=f"bytes={self._position}-")[
                "Body"
            ]
        data: bytes = self._body.read(size)
        if not data:
            raise StorageFault("It ends too early.")
        return data

    def _close_body(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        self._close_body()
        super().close()


def call_s3(message: str, operation: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
    """What S3 answers. FileNotFoundError: it has no such object or upload. StorageFault: anything else."""
    try:
        return operation(*arguments, **keywords)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in MISSING_CODES | {"NoSuchUpload"}:
            raise FileNotFoundError(message) from error
        raise StorageFault(f"{message}: {describe_s3_error(error)}") from error
    except FAULTS as error:
        raise StorageFault(f"{message}: {describe_s3_error(error)}") from error


def describe_s3_error(error: Exception) -> str:
    """What went wrong, without the names of hosts and buckets where S3 gives a code."""
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    return f"S3 answers {code}." if code else f"{type(error).__name__}: {error}."


def from_url(parts: SplitResult) -> S3Storage:
    """ImproperlyConfigured: no bucket, no prefix, or an option that is not known.

    The prefix keeps the scheduler, which deletes what no export needs, away from whatever else the bucket holds.
    """
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = [name for name in options if name not in OPTIONS]
    folder = unquote(parts.path).strip("/")
    missing = [name for name, value in (("bucket", parts.netloc), ("prefix", folder)) if not value]
    if missing or unknown:
        problem = f"{', '.join(unknown)} is not known" if unknown else f"the {missing[0]} is missing"
        raise ImproperlyConfigured(f"STORAGE_URL: {problem}; give s3://bucket/prefix?endpoint_url=…&region=….")
    return S3Storage(parts.netloc, f"{folder}/", options.get("endpoint_url"), options.get("region"))
