"""PHP's fputcsv over a plain query, where PHP with its PostgreSQL driver is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from bench.table import SELECT

NAME = "PHP fputcsv"
USES = ()
SCRIPT = r"""
[, $source, $user, $password, $sql, $file] = $argv;
$link = new PDO($source, $user, $password, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$link->beginTransaction();
$link->exec("DECLARE bench NO SCROLL CURSOR FOR $sql");
$out = fopen($file, "w");
$header = false;
while ($rows = $link->query("FETCH 5000 FROM bench")->fetchAll(PDO::FETCH_ASSOC)) {
    if (!$header) { fputcsv($out, array_keys($rows[0]), ",", "\"", ""); $header = true; }
    foreach ($rows as $row) fputcsv($out, $row, ",", "\"", "");
}
fclose($out);
"""


def write_csv(url: str, file: Path) -> None:
    address = urlsplit(url)
    source = f"pgsql:host={address.hostname};port={address.port};dbname={address.path[1:]}"
    command = ["php", "-r", SCRIPT, "--", source, address.username or "", address.password or "", SELECT, str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def present() -> bool:
    """Whether `php` is there and has the driver."""
    if not shutil.which("php"):
        return False
    return b"pdo_pgsql" in subprocess.run(["php", "-m"], check=True, capture_output=True).stdout


FORMATS: dict[str, Callable[[str, Path], None]] = {"csv": write_csv} if present() else {}
