"""Programs outside Python that read our files: five libraries under Node, and LibreOffice without a window."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.services.packages import find_program

HERE = Path(__file__).parent
CSV_OF_ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
"""Comma, quotes, UTF-8, from the first line; cells as they are stored, and a file for each sheet."""


@cache
def node_folder() -> Path:
    """A folder with the libraries, of the versions and digests of the lock."""
    npm = find_program("npm", "nodejs", "npm")
    folder = Path(mkdtemp(prefix="rowferry-node-"))
    for name in ("package.json", "package-lock.json", "read.cjs"):
        shutil.copy(HERE / name, folder)
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=240)
    return folder


def by_node(path: Path, program: str) -> dict[str, list[list[Any]]]:
    """Rows, header first, by the name of the sheet: `exceljs`, `read-excel-file`, `sheetjs` or `xlsx-populate` for a
    workbook, `csv` or `tsv` for lines by Papa Parse."""
    node = find_program("node", "nodejs")
    command = [node, "read.cjs", str(path), program]
    done = subprocess.run(command, cwd=node_folder(), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[list[Any]]] = json.loads(done.stdout)
    return found


def by_libreoffice(path: Path, into: Path, form: str = CSV_OF_ALL_SHEETS) -> list[Path]:
    """What LibreOffice makes of a file, in a folder that is empty before. With a home of its own, and no questions."""
    office = find_program("soffice", "libreoffice-calc")
    home = f"-env:UserInstallation={(into.parent / 'office').as_uri()}"
    command = [office, home, "--headless", "--norestore", "--convert-to", form, "--outdir", str(into), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert "repair" not in (done.stdout + done.stderr).lower()
    return sorted(into.iterdir())
