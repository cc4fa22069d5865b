"""The examples of the documentation run, as they stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from rowferry.assets.models import Asset, Location
from rowferry.exports import errors
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatWriter, format_writers
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import permissions, registry
from rowferry.exports.submission import Delivery
from tests.exports.formats.files import HOSTILE, columns, make
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import UserFactory
from tests.pages import blocks

ORDER = re.compile(r"(?:\$API|/api/v1)/(\w+)/export\b[^']*?-d '(.*?)'", re.DOTALL)


def test_every_order_by_curl_is_one_that_the_api_takes() -> None:
    orders = ORDER.findall("\n".join(blocks("sh", "README.md", "docs/api.md")))
    assert len(orders) == 4
    for resource, body in orders:
        ExportSpec.parse(resource, Delivery.parse(json.loads(body))[1])


@pytest.fixture
def forget_declarations() -> Iterator[None]:
    """Forgets what an example declares."""
    format_writers()  # asked for before an example derives one: the list of formats stays as it is
    yield
    for name, model in (("locations", Location), ("people", User)):
        registry.unregister(name)
        if "exports" in vars(model):
            del model.exports


def example(name: str, word: str) -> dict[str, Any]:
    """The names that an example leaves behind: the one Python block of the page that holds the word."""
    (code,) = [block for block in blocks("python", name) if word in block]
    namespace: dict[str, Any] = {"__name__": "tests.example"}
    exec(compile(code, name, "exec"), namespace)
    return namespace


@pytest.mark.usefixtures("db")
def test_the_python_example_of_the_readme_gives_a_file() -> None:
    AssetFactory(name="Left out")
    wanted = AssetFactory(name="Wanted", status__id=2, status__name="Of the example")
    made = example("README.md", "to_csv")
    assert made["data"].decode("utf-8-sig") == f'id,name\r\n{wanted.pk},"Wanted"\r\n'
    assert made["export"].exported_items == Asset.objects.filter(status_id=2).count() == 1


@pytest.mark.usefixtures("db", "forget_declarations")
@pytest.mark.parametrize("name", ["README.md", "docs/add-a-resource.md"])
def test_the_resource_of_places_can_be_exported(name: str) -> None:
    outer = LocationFactory()
    inner = LocationFactory(parent=LocationFactory(parent=outer))
    example(name, "LocationResource")
    export = Location.exports.to_csv(sort_by="id")
    assert export.exported_items == 3
    assert f'{inner.pk},"{inner.name}",{inner.parent_id}\r\n'.encode() in Location.exports.open(export).read()


@pytest.mark.usefixtures("db", "forget_declarations")
def test_the_filter_of_places_takes_in_what_lies_below() -> None:
    outer = LocationFactory()
    LocationFactory(parent=LocationFactory(parent=outer))
    LocationFactory()
    example("docs/add-a-resource.md", "LocationResource")
    below = {"parent_id": outer.pk, "include_sublocations": True}
    assert Location.exports.to_csv(filters=below).exported_items == 3
    assert Location.exports.to_csv(filters={"parent_id": outer.pk}).exported_items == 1


@pytest.mark.usefixtures("db", "forget_declarations")
def test_the_resource_of_people_narrows_rows_and_columns_and_leaves_out_what_cannot_be_computed() -> None:
    example("docs/add-a-resource.md", "PeopleResource")
    permissions.create_missing("default")
    ana = UserFactory(username="ana", email="ana@example.com")
    UserFactory(username="bob", email="no address")
    ana.user_permissions.add(Permission.objects.get(codename="export_user"))
    mine = User.exports.to_csv(user=User.objects.get(pk=ana.pk))
    assert (mine.exported_items, mine.failed_items) == (1, 0)
    with pytest.raises(errors.NotPermitted, match="email"):
        User.exports.to_csv(user=ana, columns=["username", "email"])
    everybody = User.exports.to_csv(columns=["username", "domain"], filters={"is_active": True})
    assert (everybody.exported_items, everybody.failed_items) == (1, 1)
    assert b'"ana","example.com"' in User.exports.open(everybody).read()


@pytest.mark.usefixtures("forget_declarations")
def test_the_format_of_the_example_loses_nothing() -> None:
    writer_class: type[FormatWriter] = example("docs/add-a-format.md", "class PgCopyWriter")["PgCopyWriter"]
    rows = [[text, None] for text in HOSTILE]
    made = make(writer_class, columns(ValueType.TEXT, ValueType.TEXT), rows, 4)
    lines = made.data.decode().split("\n")[1:-1]
    back = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
    read = [re.sub(r"\\[\\tnr]", lambda found: back[found[0]], line.split("\t")[0]) for line in lines]
    assert read == list(HOSTILE)
    assert {line.split("\t")[1] for line in lines} == {"\\N"}
    assert made.writer.rows == len(HOSTILE)


def test_the_settings_module_of_a_project_adds_its_app() -> None:
    assert example("docs/add-a-resource.md", "INSTALLED_APPS")["INSTALLED_APPS"][-1] == "shop"
