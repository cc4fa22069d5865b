"""Contract 3.1: the same order twice, and too many orders; by threads that really run at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import F

from rowferry.assets.models import Asset
from rowferry.exports.models import Export, IdempotencyKey
from tests.api.conftest import ApiClient, content, problem
from tests.conftest import may_export
from tests.factories.assets import AssetFactory
from tests.factories.people import UserFactory

ORDER = {"format": "csv", "columns": ["id"]}


def post_with_key(api: ApiClient, key: str, body: dict[str, Any] | None = None, resource: str = "assets") -> Any:
    return api.post(f"/{resource}/export", body or ORDER, **{"idempotency-key": key})


def run_concurrently(number: int, act: Callable[[], Any]) -> list[Any]:
    """The answers to so many calls that begin together."""
    gate = Barrier(number)

    def one(_: int) -> Any:
        try:
            gate.wait()
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


@pytest.fixture
def committed_api(transactional_db: None) -> ApiClient:
    """The owner and three assets, where every thread can see them."""
    AssetFactory.create_batch(3)
    return ApiClient(may_export(UserFactory(username="owner")))


def test_the_same_key_and_body_are_the_same_export(api: ApiClient, assets: list[Asset]) -> None:
    first, again = post_with_key(api, "k1"), post_with_key(api, "k1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first["X-Export-Id"] == again["X-Export-Id"]
    assert first["ETag"] == again["ETag"]
    assert content(first) == content(again)
    assert Export.objects.count() == 1


def test_a_queued_export_too(api: ApiClient, assets: list[Asset]) -> None:
    first, again = (post_with_key(api, "k1", ORDER | {"async": True}) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["export_id"] == again.json()["export_id"]


def test_the_order_of_the_fields_is_no_difference(api: ApiClient, assets: list[Asset]) -> None:
    again = dict(reversed(ORDER.items()))
    assert post_with_key(api, "k1")["X-Export-Id"] == post_with_key(api, "k1", again)["X-Export-Id"]


def test_another_body_or_resource_is_422(api: ApiClient, assets: list[Asset]) -> None:
    content(post_with_key(api, "k1"))
    assert problem(post_with_key(api, "k1", {"format": "json"}), 422)["code"] == "idempotency_key_reused"
    assert (
        problem(post_with_key(api, "k1", resource="tickets", body={"format": "csv"}), 422)["code"]
        == "idempotency_key_reused"
    )


def test_a_key_is_its_users_own(api: ApiClient, other: ApiClient, assets: list[Asset]) -> None:
    assert post_with_key(api, "k1")["X-Export-Id"] != post_with_key(other, "k1")["X-Export-Id"]


@pytest.mark.parametrize("other_key", ["K1", "k11", "k-1"])
def test_keys_that_look_alike_are_different(api: ApiClient, assets: list[Asset], other_key: str) -> None:
    assert post_with_key(api, "k1")["X-Export-Id"] != post_with_key(api, other_key)["X-Export-Id"]


def test_after_a_day_a_key_is_free_again(api: ApiClient, assets: list[Asset]) -> None:
    first = post_with_key(api, "k1")
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(hours=24, seconds=1))
    assert post_with_key(api, "k1")["X-Export-Id"] != first["X-Export-Id"]


def test_while_the_first_is_being_answered_it_is_409(api: ApiClient, assets: list[Asset]) -> None:
    content(post_with_key(api, "k1"))
    Export.objects.update(status="processing")
    problem(post_with_key(api, "k1"), 409)


@pytest.mark.parametrize("key", ["", "x" * 256, "\t", "caf\xe9"])
def test_a_key_that_is_none_is_422(api: ApiClient, assets: list[Asset], key: str) -> None:
    answer = api.http.post("/api/v1/assets/export", '{"format": "csv"}', "application/json", HTTP_IDEMPOTENCY_KEY=key)
    assert list(problem(answer, 422)["errors"]) == ["Idempotency-Key"]


def test_a_repeated_order_uses_no_allowance(api: ApiClient, assets: list[Asset], settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    assert [post_with_key(api, "k1").status_code for _ in range(3)] == [200, 200, 200]


def test_answers_say_what_is_left(api: ApiClient, assets: list[Asset], settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 5
    for left, order in ((4, {}), (3, {"async": True})):
        answer = api.create_export(**order)
        assert answer["RateLimit-Policy"] == '"exports";q=5;w=60'
        assert answer["RateLimit"] in (f'"exports";r={left};t=60', f'"exports";r={left};t=59')


def test_the_sixth_export_of_a_minute_is_429(
    api: ApiClient, other: ApiClient, assets: list[Asset], settings: Any
) -> None:
    del settings.ROWFERRY_EXPORTS_PER_MINUTE
    assert [api.create_export().status_code for _ in range(5)] == [200] * 5
    refused = api.create_export()
    assert problem(refused, 429)["code"] == "quota_exceeded"
    assert 50 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit-Policy"] == '"exports";q=5;w=60'
    assert refused["RateLimit"] == f'"exports";r=0;t={refused["Retry-After"]}'
    assert other.create_export().status_code == 200
    assert Export.objects.count() == 6


def test_dry_runs_have_their_own_limit(api: ApiClient, assets: list[Asset], settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    del settings.ROWFERRY_DRY_RUNS_PER_MINUTE
    answers = [api.create_export(dry_run=True) for _ in range(31)]
    assert Counter(answer.status_code for answer in answers) == {200: 30, 429: 1}
    assert answers[0]["RateLimit-Policy"] == '"dry-runs";q=30;w=60'
    assert api.create_export().status_code == 200


def test_a_wrong_order_uses_no_allowance(api: ApiClient, assets: list[Asset], settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    problem(api.create_export(columns=["nonsense"]), 422)
    assert api.create_export().status_code == 200


def test_a_retry_counts_as_an_export(api: ApiClient, settings: Any) -> None:
    export = api.queue_export()
    Export.objects.update(status="failed")
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    problem(api.post(f"/exports/{export.pk}/retry"), 429)


def test_of_fifty_posts_at_once_exactly_five_pass(committed_api: ApiClient, settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 5
    answers = run_concurrently(50, lambda: committed_api.create_export().status_code)
    assert Counter(answers) == {200: 5, 429: 45}
    assert Export.objects.count() == 5


def test_of_twenty_posts_of_one_key_at_once_there_is_one_export(committed_api: ApiClient) -> None:
    answers = run_concurrently(20, lambda: post_with_key(committed_api, "k1"))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer["X-Export-Id"] for answer in answers if answer.status_code == 200}) == 1
    assert Export.objects.count() == 1
    assert post_with_key(committed_api, "k1").status_code == 200


def test_of_twenty_queued_posts_of_one_key_all_name_the_same_export(committed_api: ApiClient) -> None:
    answers = run_concurrently(20, lambda: post_with_key(committed_api, "k1", ORDER | {"async": True}))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["export_id"] for answer in answers}) == 1
    assert User.objects.get().rowferry_exports.count() == 1
