"""The spool: real files, real processes, real kills."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection

from rowferry.filesystem_broker.folder import Claim, QueueFolder, write_whole
from rowferry.filesystem_broker.place import file_system, spool_folder

forked = multiprocessing.get_context("fork")
Runner = Callable[..., Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def queue(root: Path) -> QueueFolder:
    folder = QueueFolder(root, "exports")
    folder.make()
    return folder


@pytest.fixture
def run() -> Iterator[Runner]:
    """Run a function in a process of its own; whatever still runs at the end is killed."""
    started: list[Any] = []

    def start(function: Callable[..., None], *args: Any) -> Any:
        process = forked.Process(target=function, args=args)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def connect(root: Path) -> Connection:
    return Connection(f"spool://{root}")


def send(root: Path, numbers: range, queue: str = "exports") -> None:
    with connect(root) as connection, connection.SimpleQueue(queue) as target:
        for number in numbers:
            target.put(number)


def receive(root: Path, answers: Any, patience: float = 1.0) -> None:
    """Take and acknowledge messages until none comes for `patience` seconds; then put all of them into `answers`."""
    answers.put(take_all(root, patience=patience))


def take_all(root: Path, queue: str = "exports", patience: float = 0.3) -> list[int]:
    numbers = []
    with connect(root) as connection, connection.SimpleQueue(queue) as source:
        while True:
            try:
                message = source.get(timeout=patience)
            except Empty:
                return numbers
            numbers.append(message.payload)
            message.ack()


def hold(root: Path, count: int, ready: Any, child: bool = False) -> None:
    """Take `count` messages, acknowledge none, and stay; with a child of one's own, if asked for."""
    connection = connect(root)
    source = connection.SimpleQueue("exports")
    for _ in range(count):
        source.get(timeout=30)
    pid = os.fork() if child else None
    if pid != 0:
        ready.put(pid)
    time.sleep(60)


def test_500_messages_of_several_producers_reach_several_consumers_once_each(root: Path, run: Runner) -> None:
    answers = forked.Queue()
    for _ in range(3):
        run(receive, root, answers)
    for start in range(0, 500, 125):
        run(send, root, range(start, start + 125))
    received = [answers.get(timeout=30) for _ in range(3)]
    assert sorted(chain.from_iterable(received)) == list(range(500))
    assert all(received), "every consumer got some"


def test_messages_come_in_the_order_they_were_sent(root: Path) -> None:
    send(root, range(250))
    assert take_all(root) == list(range(250))


def test_queues_do_not_mix(root: Path) -> None:
    send(root, range(3), "exports")
    send(root, range(10, 13), "mail")
    assert take_all(root, "mail") == [10, 11, 12]
    assert take_all(root, "exports") == [0, 1, 2]


def test_what_a_killed_consumer_held_goes_to_another_one_first(root: Path, run: Runner) -> None:
    send(root, range(5))
    ready = forked.Queue()
    consumer = run(hold, root, 3, ready)
    ready.get(timeout=60)
    assert take_all(root) == [3, 4]
    os.kill(consumer.pid, signal.SIGKILL)
    consumer.join()
    assert take_all(root) == [0, 1, 2]


def test_a_child_that_outlives_its_killed_consumer_does_not_keep_the_messages(root: Path, run: Runner) -> None:
    send(root, range(2))
    ready = forked.Queue()
    consumer = run(hold, root, 2, ready, True)
    orphan = ready.get(timeout=60)
    try:
        consumer.kill()
        consumer.join()
        assert take_all(root) == [0, 1]
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_living_consumer_keeps_what_it_holds(root: Path, run: Runner) -> None:
    send(root, range(2))
    ready = forked.Queue()
    run(hold, root, 2, ready)
    ready.get(timeout=60)
    assert take_all(root, patience=2.5) == []


def test_a_forked_child_cannot_give_back_what_its_parent_holds(queue: QueueFolder, run: Runner) -> None:
    queue.put(b"{}")
    claim = Claim(queue)
    next(claim.take())
    child = run(claim.close)
    child.join(60)
    assert (child.exitcode, queue.size(), queue.rescue()) == (0, 0, 0)


def test_an_acknowledged_message_is_gone_from_the_disk(root: Path) -> None:
    send(root, range(1))
    with connect(root) as connection, connection.SimpleQueue("exports") as source:
        message = source.get(timeout=30)
        assert len(messages_below(root)) == 1
        message.ack()
        assert messages_below(root) == []


def test_a_rejected_message_is_gone_and_a_requeued_one_comes_again(root: Path) -> None:
    send(root, range(2))
    with connect(root) as connection, connection.SimpleQueue("exports") as source:
        source.get(timeout=30).reject()
        source.get(timeout=30).requeue()
        assert source.get(timeout=30).payload == 1
        assert len(messages_below(root)) == 1


def test_closing_gives_back_what_was_not_acknowledged_and_leaves_no_folder(root: Path, queue: QueueFolder) -> None:
    send(root, range(1))
    connection = connect(root)
    connection.SimpleQueue("exports").get(timeout=30)
    assert (queue.size(), len(list(queue.taken.iterdir()))) == (0, 1)
    connection.release()
    assert (queue.size(), list(queue.taken.iterdir())) == (1, [])


def test_a_consumer_that_acknowledges_nothing_by_agreement_leaves_nothing_behind(root: Path) -> None:
    send(root, range(2))
    with connect(root) as connection, connection.SimpleQueue("exports", no_ack=True) as source:
        assert source.get(timeout=30).payload == 0
    with connect(root) as connection:
        assert connection.default_channel.basic_get("exports", no_ack=True).payload == 1
    assert messages_below(root) == []


GARBAGE = {
    "empty": b"",
    "half": b'{"body": "W10=", "prop',
    "not-text": b"\xff\xfe\x00",
    "nested": b"[" * 100_000,
    "a-list": b"[]",
    "no-properties": b'{"body": "W10="}',
    "no-headers": b'{"body": "W10=", "properties": {"delivery_info": {}}}',
    "no-base64": b'{"body": "abcde", "headers": {}, "properties": {"delivery_info": {}, "body_encoding": "base64"}}',
    "no-body": b'{"body": null, "headers": {}, "properties": {"delivery_info": {}}}',
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_an_unreadable_message_is_put_aside_and_the_consumer_goes_on(
    content: bytes, root: Path, queue: QueueFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (queue.waiting / "0-first.json").write_bytes(content)
    send(root, range(1))
    assert take_all(root) == [0]
    assert [dead.read_bytes() for dead in queue.dead.iterdir()] == [content]
    assert "0-first.json" in caplog.text


def test_a_folder_in_place_of_a_message_is_put_aside(root: Path, queue: QueueFolder) -> None:
    (queue.waiting / "0-folder").mkdir()
    (queue.taken / "stray").touch()
    send(root, range(1))
    assert take_all(root) == [0]
    assert (queue.dead / "0-folder").is_dir()


def test_size_counts_and_purge_removes_what_waits_but_not_what_is_held(root: Path) -> None:
    send(root, range(4))
    with connect(root) as connection, connection.SimpleQueue("exports") as source:
        held = source.get(timeout=30)
        assert source.qsize() == 3
        assert source.clear() == 3
        assert source.qsize() == 0
        held.requeue()
        assert source.qsize() == 1


def test_a_message_for_an_exchange_nobody_declared_is_kept(root: Path) -> None:
    with connect(root) as connection:
        with pytest.warns(UserWarning, match="No queues bound"):
            connection.Producer().publish([], exchange="unheard", routing_key="exports")
        assert connection.default_channel.queue_declare("exports").message_count == 1


def test_messages_are_json_for_the_owner_only(root: Path, queue: QueueFolder) -> None:
    send(root, range(1))
    (message,) = queue.waiting.iterdir()
    assert set(json.loads(message.read_text())) >= {"body", "headers", "properties"}
    assert stat.S_IMODE(message.stat().st_mode) == 0o600
    folders = [folder for folder in [root, *root.rglob("*")] if folder.is_dir()]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_sending_goes_on_after_somebody_removed_the_folder(root: Path, queue: QueueFolder) -> None:
    with connect(root) as connection, connection.SimpleQueue("exports") as target:
        for part in (queue.drafts, queue.waiting, queue.taken, queue.dead):
            part.rmdir()
        target.put(1)
    assert take_all(root) == [1]


def test_old_drafts_of_killed_writers_are_swept_and_fresh_ones_are_not(queue: QueueFolder) -> None:
    for name, age in {"old": 7200, "fresh": 10}.items():
        (queue.drafts / name).touch()
        os.utime(queue.drafts / name, (time.time() - age,) * 2)
    Claim(queue).close()
    assert [draft.name for draft in queue.drafts.iterdir()] == ["fresh"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    draft, final = tmp_path / "draft", tmp_path / "missing" / "final"
    with pytest.raises(FileNotFoundError):
        write_whole(draft, final, b"text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", ".hidden"])
def test_a_queue_name_cannot_leave_the_folder(name: str, root: Path) -> None:
    with pytest.raises(ValueError, match="cannot hold a queue"):
        QueueFolder(root, name)


@pytest.mark.parametrize("url", ["spool://", "spool:///", "spool://var/spool", "spool://localhost/var/spool"])
def test_a_url_without_an_absolute_folder_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="absolute folder"):
        Connection(url).connect()


@pytest.mark.parametrize(
    "folder, kind",
    [
        ("/srv/share/spool", "nfs4"),
        ("/srv/my share/x", "cifs"),
        ("/srv/local/spool", "ext4"),
        ("/srv/sharedisk", "ext4"),
        ("/again/x", "tmpfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_last_mount(folder: str, kind: str, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\nbox:/x /srv/share nfs4 rw 0 0\n//box/y /srv/my\\040share cifs rw 0 0\n"
        "a /again nfs rw 0 0\nb /again tmpfs rw 0 0\n"
    )
    assert file_system(Path(folder), mounts) == kind


def test_a_folder_on_the_network_is_refused_and_a_local_one_is_not(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/vda / ext4 rw 0 0\nbox:/x /srv nfs4 rw 0 0\n")
    assert spool_folder(None, "opt/spool", mounts) == Path("/opt/spool")
    with pytest.raises(ImproperlyConfigured, match="/srv/spool is on nfs4"):
        spool_folder(None, "srv/spool", mounts)
    assert file_system(tmp_path, tmp_path / "no-such-file") == ""


def messages_below(root: Path) -> list[Path]:
    return list(root.rglob("*.json"))
