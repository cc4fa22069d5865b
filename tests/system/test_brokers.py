"""The brokers of a larger installation, as they are: real servers, a real worker, real kills."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from tests.services import rabbitmq, redis
from tests.services.rabbitmq import address as rabbitmq_address
from tests.services.redis import address as redis_address
from tests.system import test_stop as stop
from tests.system.installation import Installation, create_installation, ids_in, wait_for

pytestmark = [pytest.mark.system, pytest.mark.services]
Server = Callable[..., AbstractContextManager[str]]
ADDRESSES: dict[Server, Callable[[], str]] = {redis: redis_address, rabbitmq: rabbitmq_address}
"""Each broker, and an address where none answers yet."""


@pytest.fixture(scope="module", params=ADDRESSES, ids=lambda server: server.__name__)
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """A broker that runs, by its address."""
    with request.param() as url:
        yield url


def is_done(installation: Installation, export_id: str) -> Callable[[], bool]:
    return lambda: bool(installation.export(export_id)["status"] == "completed")


def test_an_export_goes_through_the_broker_to_a_worker_and_becomes_a_file(broker: str, tmp_path: Path):
    with create_installation(tmp_path, 2_000, BROKER_URL=broker) as installation:
        installation.start_worker()
        ids = installation.queue_exports({"format": "csv"}, {"format": "json"})
        for export_id in ids:
            wait_for(is_done(installation, export_id), "A file without a scheduler: by its message alone", 0.1)
            export = installation.export(export_id)
            assert len(set(ids_in(installation.file_of(export), export["format"]))) == 2_000
            assert export["attempt"] == 1


def test_after_a_kill_another_worker_makes_the_file(broker: str, tmp_path: Path):
    with create_installation(tmp_path, 120_000, BROKER_URL=broker) as installation:
        installation.start_scheduler()
        victim = installation.start_worker()
        (export_id,) = installation.queue_exports({"format": "excel"})
        wait_for(lambda: installation.export(export_id)["exported_items"] > 0, "The first rows")
        installation.kill(victim)
        assert installation.export(export_id)["status"] == "processing"
        installation.start_worker()
        wait_for(is_done(installation, export_id), "The second try", 0.2)
        export = installation.export(export_id)
        assert export["attempt"] == 2
        assert len(set(ids_in(installation.file_of(export), "excel"))) == 120_000


def test_a_worker_that_is_told_to_stop_hands_over_at_once(broker: str, tmp_path: Path):
    with create_installation(tmp_path, stop.ASSETS, BROKER_URL=broker, **stop.AT_ONCE) as installation:
        installation.start_worker()
        installation.start_worker()
        (export_id,) = installation.queue_exports({"format": "excel"})
        done = stop.run_handover(installation, export_id)
        assert (done["attempt"], done["max_attempts"]) == (2, 4)
        assert len(set(ids_in(installation.file_of(done), "excel"))) == stop.ASSETS


@pytest.mark.parametrize("server", ADDRESSES, ids=lambda server: server.__name__)
def test_an_order_is_taken_while_the_broker_is_down_and_done_when_it_is_back(server: Server, tmp_path: Path):
    url = ADDRESSES[server]()
    with create_installation(tmp_path, 2_000, BROKER_URL=url) as installation:
        installation.queue_exports()
        web, token = installation.start_web(), installation.token("owner")
        installation.start_scheduler()
        answer, seconds = post_export(web, token)
        assert answer.status_code == 202
        assert seconds < 1
        export_id = answer.json()["export_id"]
        with server(at=url):
            installation.start_worker()
            wait_for(is_done(installation, export_id), "The file", 0.2)
            assert len(ids_in(installation.file_of(installation.export(export_id)), "csv")) == 2_000


def post_export(web: str, token: str) -> tuple[httpx.Response, float]:
    """The answer to one order, and how many seconds it took; the server has answered something else before."""
    with httpx.Client(base_url=web, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        client.get("/api/v1/resources").raise_for_status()
        started = time.monotonic()
        answer = client.post("/api/v1/assets/export", json={"format": "csv", "async": True})
        return answer, time.monotonic() - started
