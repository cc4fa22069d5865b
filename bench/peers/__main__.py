"""`python -m bench.peers MODULE FORMAT FILE` lets one peer write one file from DATABASE_URL, and prints the seconds.

Without arguments: which peers there are, with their formats and the versions of what they use.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import peers


def describe_peers() -> list[dict[str, Any]]:
    names = [found.name for found in pkgutil.iter_modules(peers.__path__) if not found.name.startswith("_")]
    modules = {name: importlib.import_module(f"bench.peers.{name}") for name in names}
    return [
        {
            "module": module,
            "name": one.NAME,
            "formats": list(one.FORMATS),
            "uses": {package: version(package) for package in one.USES},
        }
        for module, one in modules.items()
    ]


def export(module: str, format_name: str, file: Path) -> float:
    """Seconds from the loaded program to the closed file."""
    write = importlib.import_module(f"bench.peers.{module}").FORMATS[format_name]
    started = time.perf_counter()
    write(os.environ["DATABASE_URL"], file)
    return time.perf_counter() - started


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(json.dumps(describe_peers()))
    else:
        print(json.dumps({"seconds": export(sys.argv[1], sys.argv[2], Path(sys.argv[3]))}))
