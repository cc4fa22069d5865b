"""The signature of a manifest: Ed25519 over the canonical text of all the rest of it.

Whoever has the public key can tell, years later, that a file is the one that was made here.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured

from rowferry.exports import conf
from rowferry.exports.encoding.canonical_json import canonical, digest
from rowferry.exports.integrity.secret_file import read_or_create_secret
from rowferry.exports.persistent_names import SIGNATURE_ALGORITHM, SIGNATURE_FIELD

Jwk = dict[str, str]
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def _ed25519() -> Any:
    """The library's side, loaded when it is first asked for."""
    return import_module("rowferry.exports.integrity.ed25519")


def add_signature(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The same with its signature; as it is where no key is set."""
    key = private_key()
    if key is None:
        return dict(manifest)
    value = urlsafe_b64encode(key.sign(canonical(manifest))).decode().rstrip("=")
    return {**manifest, SIGNATURE_FIELD: {"alg": SIGNATURE_ALGORITHM, "key_id": public_jwk(key)["kid"], "value": value}}


def public_keys() -> dict[str, list[Jwk]]:
    """The keys that signatures are checked with, as a JSON Web Key Set (RFC 7517, RFC 8037): that of today first, then
    those of before."""
    key = private_key()
    current_keys = [] if key is None else [public_jwk(key)]
    return {"keys": [*current_keys, *(jwk for jwk in _stored_public_keys() if jwk not in current_keys)]}


def known_keys() -> dict[str, list[Jwk]]:
    """The same, where there is a key; none is made."""
    has_key = conf.text("ROWFERRY_SIGNING_KEY") or _is_file(conf.text("ROWFERRY_SIGNING_KEY_FILE"))
    return public_keys() if has_key else {"keys": _stored_public_keys()}


def _is_file(name: str) -> bool:
    return bool(name) and Path(name).is_file()


def _stored_public_keys() -> list[Jwk]:
    """The public half of every key that was ever used here, so that a change of keys leaves no old file unproved."""
    folder = conf.text("ROWFERRY_PUBLIC_KEYS")
    return [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))] if folder else []


def is_signed_by(manifest: Mapping[str, Any], jwk: Mapping[str, str]) -> bool:
    """Whether the signature of `detail` was made with the key whose public half this is. KeyError, ValueError: there is
    none, or no such key."""
    signed_fields = {name: value for name, value in manifest.items() if name != SIGNATURE_FIELD}
    return bool(
        _ed25519().is_signature(
            _decode_base64url(jwk["x"]), _decode_base64url(manifest[SIGNATURE_FIELD]["value"]), canonical(signed_fields)
        )
    )


def public_jwk(key: Ed25519PrivateKey) -> Jwk:
    """The public half; `kid` is its thumbprint (RFC 7638)."""
    raw = _ed25519().public_bytes(key)
    thumbprint_fields = {"crv": "Ed25519", "kty": "OKP", "x": urlsafe_b64encode(raw).decode().rstrip("=")}
    kid = urlsafe_b64encode(bytes.fromhex(digest(thumbprint_fields))).decode().rstrip("=")
    return {**thumbprint_fields, "kid": kid, "alg": SIGNATURE_ALGORITHM, "use": "sig"}


def private_key() -> Ed25519PrivateKey | None:
    """The key of this installation: that of ROWFERRY_SIGNING_KEY, or one made when it is first needed, and kept."""
    key_text, file = conf.text("ROWFERRY_SIGNING_KEY"), conf.text("ROWFERRY_SIGNING_KEY_FILE")
    return _load_private_key(key_text, file, conf.text("ROWFERRY_PUBLIC_KEYS"))


@cache
def _load_private_key(key_text: str, file: str, folder: str) -> Ed25519PrivateKey | None:
    text = key_text or (read_or_create_secret(Path(file), _new_key_pem) if file else "")
    if not text:
        return None
    key = _parse_key(text)
    if folder:
        jwk = public_jwk(key)
        # Where nothing may be written, today's key is known all the same.
        with suppress(OSError):
            read_or_create_secret(Path(folder) / f"{jwk['kid']}.json", lambda: json.dumps(jwk))
    return key


def _new_key_pem() -> str:
    return str(_ed25519().new_pem())


def _parse_key(text: str) -> Ed25519PrivateKey:
    """A key from PEM, from its 32 bytes in base64, or from a file that holds one of these."""
    text = text.strip()
    try:
        if not text.startswith("-----BEGIN"):
            return _key_from_base64_or_file(text)
        # In a file of settings a line end is often written as two characters.
        return cast("Ed25519PrivateKey", _ed25519().of_pem(text.replace("\\n", "\n")))
    except (ValueError, TypeError, OSError) as error:
        raise ImproperlyConfigured(f"ROWFERRY_SIGNING_KEY cannot be read: {error}") from None


def _key_from_base64_or_file(text: str) -> Ed25519PrivateKey:
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    return cast("Ed25519PrivateKey", _ed25519().of_bytes(raw)) if len(raw) == 32 else _key_from_file(Path(text))


def _key_from_file(path: Path) -> Ed25519PrivateKey:
    text = path.read_text().strip()
    if text.startswith("-----BEGIN"):
        return _parse_key(text)
    return cast("Ed25519PrivateKey", _ed25519().of_bytes(b64decode(text, validate=True)))


def _decode_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
