"""A manifest is signed: any change of it shows, and anybody can look."""

from __future__ import annotations

import json
import stat
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from rowferry.exports.integrity import signing
from rowferry.exports.integrity.secret_file import read_or_create_secret
from rowferry.exports.persistent_names import MANIFEST_SUFFIX
from tests.factories.assets import AssetFactory
from tests.support.making import run_export

SEED = bytes(range(32))
RFC_8032_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_8037_KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def pem(key: Any = None) -> str:
    key = key or Ed25519PrivateKey.from_private_bytes(SEED)
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@pytest.fixture
def key_file(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Where an installation of the test's own keeps its key."""
    settings.ROWFERRY_SIGNING_KEY = ""
    settings.ROWFERRY_SIGNING_KEY_FILE = str(tmp_path / "data" / "signing-key")
    settings.ROWFERRY_PUBLIC_KEYS = ""
    return tmp_path / "data" / "signing-key"


@pytest.mark.django_db
def test_the_manifest_of_a_file_is_signed_by_the_key_that_everybody_can_see(
    owner: User, client: Client, key_file: Path, storage_folder: Path
) -> None:
    AssetFactory.create_batch(2)
    export = run_export("assets", owner, format="csv")
    beside = json.loads((storage_folder / f"{export.file_key}{MANIFEST_SUFFIX}").read_text())
    answer = client.get("/.well-known/rowferry-keys.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/jwk-set+json")
    (key,) = answer.json()["keys"]
    assert {name: key[name] for name in ("kty", "crv", "alg", "use")} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
    }
    assert beside["signature"]["key_id"] == key["kid"]
    assert beside == export.manifest
    assert signing.is_signed_by(beside, key)
    assert client.post("/.well-known/rowferry-keys.json").status_code == 405


@pytest.mark.django_db
def test_a_stranger_checks_the_signature_with_nothing_of_ours(owner: User, key_file: Path) -> None:
    said = dict(run_export("assets", owner, format="csv", filters={"search": "Müller 😀"}).manifest or {})
    value = said.pop("signature")["value"]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    (key,) = signing.public_keys()["keys"]
    public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "="))
    public.verify(urlsafe_b64decode(value + "=="), text)


def test_the_id_of_a_key_is_the_thumbprint_that_the_rfc_has_for_it() -> None:
    key = Ed25519PrivateKey.from_private_bytes(RFC_8032_SEED)
    assert signing.public_jwk(key)["kid"] == RFC_8037_KID


@pytest.mark.parametrize(
    "said", [{"rows": 2, "name": "a"}, {"rows": 1, "name": "b"}, {"rows": 1}, {"rows": 1, "name": "a", "more": None}]
)
def test_any_change_breaks_the_signature(said: dict[str, Any], key_file: Path) -> None:
    whole = signing.add_signature({"rows": 1, "name": "a"})
    (key,) = signing.public_keys()["keys"]
    assert signing.is_signed_by(dict(reversed(whole.items())), key)
    assert not signing.is_signed_by({**said, "signature": whole["signature"]}, key)
    other = signing.public_jwk(Ed25519PrivateKey.generate())
    assert not signing.is_signed_by(whole, other)


def test_the_key_is_made_once_for_its_owner_alone_and_stays(key_file: Path) -> None:
    first = signing.public_keys()
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    signing._load_private_key.cache_clear()
    assert signing.public_keys() == first
    assert [path.name for path in key_file.parent.iterdir()] == ["signing-key"]


def test_of_many_that_make_a_secret_at_once_all_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    with ThreadPoolExecutor(20) as threads:
        texts = set(threads.map(lambda number: read_or_create_secret(path, lambda: str(number)), range(20)))
    assert len(texts) == 1
    assert [one.name for one in path.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("way", ["pem", "escaped", "bytes", "file of pem", "file of bytes"])
def test_the_key_can_be_given(way: str, settings: Any, tmp_path: Path, key_file: Path) -> None:
    file, raw = tmp_path / "key", b64encode(SEED).decode()
    file.write_text(pem() if way == "file of pem" else raw)
    texts = {"pem": pem(), "escaped": pem().replace("\n", "\\n"), "bytes": raw}
    settings.ROWFERRY_SIGNING_KEY = texts.get(way, str(file))
    assert signing.public_keys()["keys"] == [signing.public_jwk(Ed25519PrivateKey.from_private_bytes(SEED))]
    assert not key_file.exists()


@pytest.mark.parametrize("given", ["nowhere", "-----BEGIN nothing", b64encode(b"short").decode(), "other kind"])
def test_a_key_that_is_none_is_told_by_the_name_of_the_setting(given: str, settings: Any) -> None:
    settings.ROWFERRY_SIGNING_KEY = pem(X25519PrivateKey.generate()) if given == "other kind" else given
    with pytest.raises(ImproperlyConfigured, match="ROWFERRY_SIGNING_KEY"):
        signing.private_key()


def test_without_a_key_and_a_place_for_one_nothing_is_signed(settings: Any) -> None:
    settings.ROWFERRY_SIGNING_KEY = settings.ROWFERRY_SIGNING_KEY_FILE = settings.ROWFERRY_PUBLIC_KEYS = ""
    assert signing.add_signature({"rows": 1}) == {"rows": 1}
    assert signing.public_keys() == {"keys": []}
