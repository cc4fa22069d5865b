"""Contract 3.7: what may be exported, for the page and for programs."""

from __future__ import annotations

from django.contrib.auth.models import User

from tests.api.conftest import ApiClient, problem
from tests.factories.assets import AssetStatusFactory


def test_a_resource_tells_its_columns_filters_and_formats(api: ApiClient) -> None:
    status = AssetStatusFactory(name="In repair")
    found = api.get("/resources/assets").json()
    columns = {one["name"]: one for one in found["columns"]}
    filters = {one["name"]: one for one in found["filters"]}
    formats = {one["name"]: one for one in found["formats"]}
    assert sum(one["default"] for one in found["columns"]) == 13
    assert columns["serial_number"]["type"] == "identifier"
    assert columns["status"] == {
        "name": "status",
        "label": "Status",
        "type": "text",
        "default": False,
        "sortable": True,
        "nest": "status",
        "treatment": "show",
    }
    assert {"value": status.pk, "label": "In repair"} in filters["status_id"]["choices"]
    assert filters["search"]["choices"] is None
    assert {"csv", "excel", "json"} <= formats.keys()
    assert formats["excel"]["max_rows"] == 1_048_576
    assert {one["name"]: one["type"] for one in formats["csv"]["options"]}.items() >= {
        ("delimiter", "text"),
        ("bom", "boolean"),
        ("formula_guard", "choice"),
    }
    assert found["export_url"] == "http://testserver/api/v1/assets/export"


def test_the_list_has_every_resource_that_one_may_export(api: ApiClient, owner: User) -> None:
    assert [one["name"] for one in api.get("/resources").json()["data"]] == ["assets", "tickets"]
    owner.user_permissions.filter(codename="export_ticket").delete()
    assert [one["name"] for one in api.get("/resources").json()["data"]] == ["assets"]


def test_another_resource_is_404(api: ApiClient) -> None:
    problem(api.get("/resources/unicorns"), 404)
