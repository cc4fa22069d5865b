"""Debian's packages: who may install them, and how without a service that starts by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GUARD = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program whether an installed service may start; 101 means no."""


def is_root() -> bool:
    return os.geteuid() == 0


def find_program(name: str, *packages: str) -> str:
    """The path of a program; as root its packages are installed if it is missing. SystemExit: it can't be had."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    if not shutil.which(name, path=path):
        install(*packages)
    found = shutil.which(name, path=path)
    if not found:
        raise SystemExit(f"There is no {name} here: run `apt-get install {' '.join(packages)}` as root.")
    return found


def missing(*packages: str) -> list[str]:
    """Those that Debian has not installed; all where there is no Debian."""
    if not shutil.which("dpkg-query"):
        return list(packages)
    asked = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *packages]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    return [name for name in packages if f"{name} installed" not in said]


def install(*packages: str) -> None:
    """Install what is missing, if we may; no service is started by it."""
    wanted = missing(*packages)
    if not wanted or not is_root() or not shutil.which("apt-get"):
        return
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    command = [*apt, "install", "--yes", "--no-install-recommends", *wanted]
    how = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with prevent_service_starts():
        if subprocess.run(command, env=how, check=False).returncode:
            subprocess.run([*apt, "update"], check=True)
            subprocess.run(command, env=how, check=True)


@contextmanager
def prevent_service_starts() -> Iterator[None]:
    """While it lasts, Debian starts no service that it installs."""
    if GUARD.exists():
        yield
        return
    GUARD.write_text("#!/bin/sh\nexit 101\n")
    GUARD.chmod(0o755)
    try:
        yield
    finally:
        GUARD.unlink(missing_ok=True)
