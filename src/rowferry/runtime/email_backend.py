"""An e-mail backend for trying out and for machines without a mail server: each message is one `.eml` file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.generator import BytesGenerator
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from rowferry.filesystem_broker.folder import unique_name, write_whole


class EmailBackend(BaseEmailBackend):
    """Writes below `file_path` (default: the setting EMAIL_FILE_PATH). Names sort by time and end with the Message-ID.

    A file appears whole or not at all, as sent (RFC 5322), readable by its owner only. OSError when that fails.
    """

    def __init__(self, fail_silently: bool = False, file_path: str | None = None, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently, **kwargs)
        self._folder = Path(file_path or settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return sum(self._send_message(message) for message in email_messages)

    def _send_message(self, message: EmailMessage) -> bool:
        if not message.recipients():
            return False
        try:
            self._write(message)
        except OSError:
            if not self.fail_silently:
                raise
            return False
        return True

    def _write(self, message: EmailMessage) -> None:
        mime_message, content = message.message(), BytesIO()
        BytesGenerator(content, mangle_from_=False).flatten(mime_message, linesep="\r\n")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{unique_name()}-{_file_safe(mime_message['Message-ID'])}"
        write_whole(self._folder / f".{name}.part", self._folder / f"{name}.eml", content.getvalue())


def _file_safe(message_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9@._-]+", "_", message_id.strip("<> "))[:120]
