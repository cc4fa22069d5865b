"""Loaded before Django's settings: every test run has a data folder of its own, removed at its end."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = tempfile.mkdtemp(prefix="rowferry-test-")
    os.environ["ROWFERRY_DATA_DIR"] = folder
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
