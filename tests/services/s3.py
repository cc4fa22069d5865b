"""An S3 server: moto's, in a process of its own, everything in its memory."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.running import answers, free_port, own_folder, running

BUCKET = "rowferry"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "rowferry", "AWS_SECRET_ACCESS_KEY": "rowferry", "AWS_DEFAULT_REGION": "us-east-1"}
"""What its clients need in their environment; the server takes any."""


@contextmanager
def s3() -> Iterator[str]:
    """A running server's STORAGE_URL, its bucket made."""
    port = free_port()
    with own_folder("s3") as folder:
        # Clients that upload in small parts have many of them with little data.
        server = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", port]
        command = ["env", "S3_UPLOAD_PART_MIN_SIZE=1", *server]
        with running(command, folder, answers(port)):
            endpoint = f"http://127.0.0.1:{port}"
            urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT"), timeout=30).close()
            yield f"s3://{BUCKET}/files?endpoint_url={endpoint}&region=us-east-1"
