"""Ed25519 by the `cryptography` library. `signing` loads this when the first signature is made or checked: the library
takes several MB, and most processes of a command line never sign."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def of_bytes(raw: bytes) -> Ed25519PrivateKey:
    """The private key of these 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(raw)


def of_pem(text: str) -> Ed25519PrivateKey:
    """A private key from PEM. ValueError, TypeError: it cannot be read, or is of another kind."""
    key = load_pem_private_key(text.encode(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("it is a key of another kind than Ed25519")
    return key


def new_pem() -> str:
    """A new private key as PEM."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def is_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature of `detail` was made with the key whose public half this is. ValueError: it is no key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
