"""A real Celery worker over a real spool, and what happens when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from celery import Celery, current_app
from chaos.processes import children_of
from kombu.exceptions import OperationalError

from rowferry.config.celery import BROKERS, app, configuration
from rowferry.filesystem_broker.folder import QueueFolder
from rowferry.runtime.supervisor import worker_command
from tests.support.log_lines import gone, wait_for

SITE = Path(__file__).with_name("site")
pytestmark = pytest.mark.system


@dataclass
class Site:
    """A data folder with its workers."""

    folder: Path
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.folder / "log"
        self.log.touch()
        self.queue = QueueFolder(self.folder / "spool", "exports")
        self.queue.make()
        self.broker = f"spool://{self.folder / 'spool'}"
        self.sender = Celery("sender", set_as_current=False)
        self.sender.conf.update(configuration(self.broker))

    def start_worker(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        own = {"DJANGO_SETTINGS_MODULE": "scratch_settings", "ROWFERRY_DATA_DIR": str(self.folder)}
        own["BROKER_URL"] = self.broker  # whatever the other tests run on
        path = os.pathsep.join([str(SITE), *sys.path])
        command = [part.replace("rowferry.config.celery", "scratch_tasks") for part in worker_command()]
        worker = subprocess.Popen(
            [*command, *options],
            env={**os.environ, **own, "PYTHONPATH": path, **environment},
            text=True,
            stderr=subprocess.STDOUT,
            stdout=(self.folder / "output").open("a"),
        )
        self.workers.append(worker)
        return worker

    def nap(self, seconds: float) -> None:
        self.sender.send_task("scratch.nap", [str(self.log), seconds])

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def pids(self, what: str) -> list[int]:
        return [int(line.split()[1]) for line in self.lines() if line.startswith(what)]

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        wait_for(condition, seconds, self.output)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    for worker in site.workers:
        worker.kill()
        worker.wait()


def messages(site: Site) -> list[Path]:
    return list(site.queue.root.rglob("*.json"))


def test_a_task_runs_and_its_message_is_gone_afterwards(site: Site) -> None:
    site.start_worker()
    site.nap(0)
    site.wait(lambda: len(site.pids("end")) == 1 and not messages(site))


def test_tasks_start_within_a_fraction_of_a_second(site: Site) -> None:
    site.start_worker()
    site.nap(0)
    site.wait(lambda: len(site.pids("end")) == 1)
    started = time.monotonic()
    for count in range(2, 8):
        site.nap(0)
        site.wait(lambda count=count: len(site.pids("start")) == count)  # type: ignore[misc]
    assert time.monotonic() - started < 6 * 0.5


def test_killing_the_worker_ends_its_children_and_a_new_one_runs_the_task_again(site: Site) -> None:
    worker = site.start_worker()
    site.nap(30)
    site.wait(lambda: len(site.pids("start")) == 1)
    worker.kill()
    worker.wait()
    site.wait(lambda: gone(site.pids("start")[0]))
    site.start_worker()
    site.wait(lambda: len(site.pids("start")) == 2)
    assert len(messages(site)) == 1


def test_a_killed_child_has_its_task_run_again_by_the_same_worker(site: Site) -> None:
    site.start_worker()
    site.nap(30)
    site.wait(lambda: len(site.pids("start")) == 1)
    os.kill(site.pids("start")[0], signal.SIGKILL)
    site.wait(lambda: len(site.pids("start")) == 2)


def test_killing_children_that_have_nothing_to_do_leaves_a_worker_that_works(site: Site) -> None:
    """One of them waits for work; where they share a lock, it keeps that for ever."""
    worker = site.start_worker()
    site.nap(0)
    site.wait(lambda: len(site.pids("end")) == 1 and not messages(site))  # its message is gone: nothing comes again
    for child in children_of(worker.pid):
        os.kill(child, signal.SIGKILL)
        site.wait(lambda child=child: gone(child))  # type: ignore[misc]
    for count in range(2, 6):
        site.nap(0)
        site.wait(lambda count=count: len(site.pids("end")) == count)  # type: ignore[misc]


def test_a_stopped_worker_lets_its_task_end(site: Site) -> None:
    """What ends while it stops it does not hear, here where no rows tell of it: the message comes again."""
    worker = site.start_worker(SOFT_SHUTDOWN="3")
    site.nap(1)
    site.wait(lambda: len(site.pids("start")) == 1)
    worker.terminate()
    worker.wait(60)
    assert len(site.pids("end")) == 1


def test_a_stopped_worker_gives_back_a_task_that_takes_too_long(site: Site) -> None:
    worker = site.start_worker(SOFT_SHUTDOWN="0.5")
    site.nap(30)
    site.wait(lambda: len(site.pids("start")) == 1)
    worker.terminate()
    worker.wait(60)
    assert site.queue.size() == 1
    assert site.pids("end") == []


def test_messages_that_are_no_tasks_do_not_stop_a_worker(site: Site) -> None:
    plain = '{"body": "", "headers": {}, "properties": {"delivery_info": {}}}'
    unknown = '{"body": "W10=", "headers": {"task": "nobody.knows", "id": "1"}, "properties": {"delivery_info": {}}}'
    for number, content in enumerate([plain, unknown, "", plain.replace("{}}", '{}, "body_encoding": "base64"}')]):
        (site.queue.waiting / f"{number}.json").write_text(content)
    worker = site.start_worker()
    site.nap(0)
    site.wait(lambda: len(site.pids("end")) == 1 and site.queue.size() == 0)
    assert worker.poll() is None
    assert len(list(site.queue.dead.iterdir())) == 1


@pytest.mark.parametrize(
    "option, harm",
    [
        ("--pool=solo", "Only the prefork pool enforces time limits"),
        ("--pool=threads", "Only the prefork pool enforces time limits"),
    ],
)
def test_a_worker_that_would_ignore_time_limits_does_not_start(option: str, harm: str, site: Site) -> None:
    worker = site.start_worker(option)
    assert worker.wait(60) == 1
    assert harm in site.output()


def test_a_worker_with_a_broken_setting_does_not_start(site: Site) -> None:
    worker = site.start_worker(SOFT_SHUTDOWN="120")
    assert worker.wait(60) == 1
    assert "worker_soft_shutdown_timeout is 120.0, not between 0 and 20" in site.output()


def test_tasks_of_this_process_go_through_our_app() -> None:
    assert current_app._get_current_object() is app


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://guest@127.0.0.1:1//"])
def test_sending_to_a_broker_that_is_down_fails_within_a_second(url: str) -> None:
    sender = Celery("sender", set_as_current=False)
    sender.conf.update(configuration(url))
    started = time.monotonic()
    with pytest.raises(OperationalError):
        sender.send_task("scratch.nap", ["", 0])
    assert time.monotonic() - started < 1


def test_each_broker_has_its_options_and_no_other_is_known() -> None:
    assert configuration("redis://box/1")["broker_transport_options"]["visibility_timeout"] == 900
    assert configuration("amqp://box//")["broker_transport_options"]["confirm_publish"] is True
    assert configuration("amqp://box//")["task_queues"][0].queue_arguments == {"x-queue-type": "quorum"}
    assert configuration("spool:///x")["task_queues"][0].queue_arguments is None
    with pytest.raises(ValueError, match="'sqs' is none of " + ", ".join(BROKERS)):
        configuration("sqs://")
