"""An SMTP server in a process of its own that keeps each message as one file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.running import answers, free_port, own_folder, running


@contextmanager
def smtp() -> Iterator[tuple[str, Path]]:
    """A running server's EMAIL_URL, and the folder where each message that it took is one file."""
    port = free_port()
    with own_folder("smtp") as folder:
        mails = folder / "mails"
        command = [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{port}"]
        with running([*command, "--class", "aiosmtpd.handlers.Mailbox", mails], folder, answers(port)):
            yield f"smtp://127.0.0.1:{port}", mails / "new"
