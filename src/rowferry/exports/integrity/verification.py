"""Front door: is a file the one that its manifest speaks of, and is the manifest as it was signed? For anybody who has
the file, its manifest and the public key: nothing here asks a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rowferry.exports.encoding.delimited import guarded_title
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.integrity import row_count, signing
from rowferry.exports.persistent_names import SIGNATURE_FIELD

Manifest = Mapping[str, Any]
NEEDED = ("format", "spec", "columns", "rows_written", "bytes", "sha256")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is as it should be (None = not checked), and what was found."""

    what: str
    ok: bool | None
    found: str


def own_keys() -> list[dict[str, str]]:
    """The public keys of this installation, if it has any."""
    return list(signing.known_keys()["keys"])


def read_json(data: bytes, source: str) -> dict[str, Any]:
    """A manifest or a set of keys. InvalidRequest: it is something else."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise InvalidRequest(f"{source} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidRequest(f"{source} is no JSON object.")
    return value


def verify(file: Path, manifest: Manifest, keys: Sequence[Mapping[str, str]], *, unsigned: bool = False) -> list[Check]:
    """Everything that a manifest says of its file, looked at. `unsigned` = a signature is not asked for. OSError: the
    file cannot be read; InvalidRequest: that is no manifest."""
    if missing := [name for name in NEEDED if name not in manifest]:
        raise InvalidRequest(f"That is no manifest of an export: it does not say {', '.join(missing)}.")
    checks = [] if unsigned else [_signature(manifest, keys)]
    return [*checks, *_bytes(file, manifest), *_content(file, manifest)]


def _signature(manifest: Manifest, keys: Sequence[Mapping[str, str]]) -> Check:
    signature = manifest.get(SIGNATURE_FIELD)
    if not isinstance(signature, dict):
        return Check("signature", False, "the manifest is not signed")
    key_id = signature.get("key_id")
    key = next((key for key in keys if key.get("kid") == key_id), None)
    if key is None:
        return Check("signature", False, f"not checked: the key {key_id} is not among the {len(keys)} given")
    try:
        is_valid = signing.is_signed_by(manifest, key)
    except (KeyError, ValueError):
        is_valid = False
    return Check(
        "signature", is_valid, f"by the key {key_id}" if is_valid else f"it was not made with the key {key_id}"
    )


def _bytes(file: Path, manifest: Manifest) -> Iterator[Check]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    yield _compare_values("bytes", size, manifest["bytes"])
    yield _compare_values("sha256", digest, manifest["sha256"])


def _content(file: Path, manifest: Manifest) -> Iterator[Check]:
    try:
        with file.open("rb") as stream:
            counted = row_count.count(stream, manifest["format"], manifest["spec"])
    except row_count.Unreadable as error:
        yield Check("rows", False, str(error))
        return
    if counted is None:
        yield Check("rows", None, f"not checked: there is no reader for {manifest['format']} here")
        return
    yield _compare_values("rows", counted.rows, manifest["rows_written"])
    if counted.columns is not None:
        yield _columns(counted.columns, manifest)


def _columns(titles: list[str], manifest: Manifest) -> Check:
    """Formats for programs say names, whatever the spec says. A title that a spreadsheet would take for a formula has
    a ' before it."""
    names, labels = ([column[key] for column in manifest["columns"]] for key in ("name", "label"))
    if titles == names or manifest["spec"].get("headers") != "labels":
        return _compare_values("columns", titles, names)
    guard = manifest["spec"].get("options", {}).get("formula_guard", False)
    expected = [guarded_title(label, guard) for label in labels]
    return _compare_values("columns", labels if titles == expected else titles, labels)


def _compare_values(what: str, actual: Any, expected: Any) -> Check:
    if actual == expected:
        return Check(what, True, _format_value(actual))
    return Check(what, False, f"{_format_value(actual)}, but the manifest says {_format_value(expected)}")


def _format_value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
