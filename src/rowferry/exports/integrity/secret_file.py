"""A secret that is made once and kept in a file: whoever comes first makes it, all get the same."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def read_or_create_secret(path: Path, create: Callable[[], str]) -> str:
    """The text in the file; made first if there is none, readable by its owner only. OSError: not to be written."""
    with suppress(FileNotFoundError):
        return path.read_text()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(create())
    # A link is made whole or not at all, and never over another one's.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text()
