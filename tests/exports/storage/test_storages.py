"""What holds for every storage: a file is there when it is whole, and only then."""

from __future__ import annotations

import hashlib
import io
import time
from typing import BinaryIO

import pytest

from rowferry.exports.persistent_names import PART_SUFFIX
from rowferry.exports.storage import Storage
from rowferry.exports.storage.s3 import PART_SIZE

LATER = time.time() + 3600
PIECE = bytes(range(256)) * 4096
LARGE = PIECE * (2 * PART_SIZE // len(PIECE) + 1)
"""More than two parts."""


def store_file(place: Storage, key: str, data: bytes) -> None:
    stage = place.stage(key)
    for at in range(0, len(data), len(PIECE)):
        stage.write(data[at : at + len(PIECE)])
    assert key not in list(place.keys(LATER))
    stored = stage.publish()
    assert (stored.key, stored.size, stored.sha256) == (key, len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("data", [b"", b"rows", PIECE * (PART_SIZE // len(PIECE)), LARGE], ids=len)
def test_a_file_is_there_once_it_is_published(place: Storage, data: bytes) -> None:
    store_file(place, "a.1.csv", data)
    assert list(place.keys(LATER)) == ["a.1.csv"]
    assert list(place.keys(time.time() - 3600)) == []
    with place.open("a.1.csv") as file:
        assert file.read() == data


def test_a_file_is_read_from_wherever_it_is_sought(place: Storage) -> None:
    store_file(place, "a.1.csv", LARGE)
    with place.open("a.1.csv") as file:
        assert file.read(10) == LARGE[:10]
        file.seek(PART_SIZE + 3)
        assert file.read(5) == LARGE[PART_SIZE + 3 : PART_SIZE + 8]
        assert file.seek(0, io.SEEK_END) == len(LARGE)
        assert file.read(1) == b""
        file.seek(-7, io.SEEK_END)
        assert file.read() == LARGE[-7:]


@pytest.mark.parametrize("data", [b"rows", LARGE], ids=len)
def test_nothing_is_left_of_what_is_discarded(place: Storage, data: bytes) -> None:
    stage = place.stage("a.1.csv")
    stage.write(data)
    stage.discard()
    stage.discard()
    assert list(place.keys(LATER)) == []
    with pytest.raises(FileNotFoundError):
        place.open("a.1.csv")


def test_what_a_dead_process_leaves_is_listed_and_can_be_removed(place: Storage) -> None:
    left = place.stage("a.1.csv")
    left.write(LARGE)
    other = place.stage("a.1.csv.zst")
    other.write(LARGE)
    assert sorted(place.keys(LATER)) == [f"a.1.csv{PART_SUFFIX}", f"a.1.csv.zst{PART_SUFFIX}"]
    place.delete(f"a.1.csv{PART_SUFFIX}")
    assert list(place.keys(LATER)) == [f"a.1.csv.zst{PART_SUFFIX}"]
    other.discard()
    left.discard()


def test_an_open_file_can_outlive_its_key(place: Storage) -> None:
    store_file(place, "a.1.csv", LARGE)
    with place.detach(place.open("a.1.csv")) as file:
        place.delete("a.1.csv")
        assert file.seek(0, io.SEEK_END) == len(LARGE)
        file.seek(0)
        assert file.read() == LARGE


def test_a_file_can_be_removed_twice(place: Storage) -> None:
    store_file(place, "a.1.csv", b"rows")
    for _ in range(2):
        place.delete("a.1.csv")
        place.delete(f"a.1.csv{PART_SUFFIX}")
    assert list(place.keys(LATER)) == []


def test_two_machines_whose_processes_have_the_same_number_may_check_at_once(
    place: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = place.open

    def meanwhile(key: str) -> BinaryIO:
        monkeypatch.undo()
        place.check()
        return read(key)

    monkeypatch.setattr(place, "open", meanwhile)
    place.check()
    assert list(place.keys(LATER)) == []


def test_a_storage_that_works_says_nothing_and_keeps_nothing(place: Storage) -> None:
    place.check()
    assert list(place.keys(LATER)) == []
