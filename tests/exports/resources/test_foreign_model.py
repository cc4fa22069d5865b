"""Somebody else's model becomes exportable by one class in one file, and is there at every door."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from typer.testing import CliRunner

from rowferry.api.models import issue
from rowferry.cli.main import app
from rowferry.exports import catalogue
from rowferry.exports.resources.resource import Column, Resource
from tests.conftest import may_export

pytestmark = pytest.mark.django_db


class UserResource(Resource):
    model = User
    name = "users"
    columns = (Column("id"), Column("username"), Column("email"))


@pytest.fixture(autouse=True)
def person(declare, owner):
    """The owner, who may export users too."""
    declare(UserResource)
    return may_export(owner)


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


EXPECTED = ["owner", "owner@example.com"]


def test_the_catalogue_has_it(person):
    assert "users" in catalogue.names(person)
    found = catalogue.resource("users", person)
    assert [column.name for column in found.columns] == ["id", "username", "email"]
    assert (found.label, found.permission) == ("Users", "auth.export_user")


def test_its_model_has_the_door(person):
    with User.exports.open(User.exports.to_csv(user=person)) as file:
        assert rows(file.read()) == [["id", "username", "email"], [str(person.pk), *EXPECTED]]


@pytest.mark.parametrize("name", ["csv", "excel", "json"])
def test_every_format_writes_it(person, name):
    assert User.exports.run(format=name, user=person).exported_items == 1


def test_the_api_has_it(person):
    client = Client(headers={"authorization": f"Bearer {issue(person)}"})
    assert "users" in json.dumps(client.get("/api/v1/resources").json())
    assert client.get("/api/v1/resources/users").status_code == 200
    answer = client.post("/api/v1/users/export", {"format": "csv"}, content_type="application/json")
    assert answer.status_code == 200
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert rows(data)[1:] == [[str(person.pk), *EXPECTED]]


def test_the_page_has_it(person):
    client = Client()
    client.force_login(person)
    assert b"/new/users" in client.get("/").content
    assert b"username" in client.get("/new/users").content


def test_the_command_has_it(person, tmp_path):
    target = tmp_path / "users.csv"
    done = CliRunner().invoke(app, ["export", "users", "--format", "csv", "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert rows(target.read_bytes())[1:] == [[str(person.pk), *EXPECTED]]


def test_without_its_own_permission_nobody_gets_it(stranger):
    stranger.user_permissions.set(Permission.objects.filter(codename="export_asset"))
    assert "users" not in catalogue.names(stranger)
    client = Client(headers={"authorization": f"Bearer {issue(stranger)}"})
    answer = client.post("/api/v1/users/export", {"format": "csv"}, content_type="application/json")
    assert answer.status_code == 403
