"""The documentation names what the code has, and nothing that it lacks."""

from __future__ import annotations

import pkgutil
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

import rowferry.exports
from rowferry.api import urls
from rowferry.cli.main import app
from rowferry.config.environment import env
from rowferry.exports import conf, errors, records
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import RowferryError
from rowferry.exports.formats import format_writers
from rowferry.exports.models import Event, Mode, Status
from rowferry.exports.monitoring import metrics
from rowferry.exports.planning.spec import READERS
from rowferry.exports.resources import registry
from rowferry.exports.resources.filters import Filter
from rowferry.runtime import supervisor
from tests.pages import CODE, LINK, PAGES, ROOT, blocks, first_cells, page, spans

TO_BE_WRITTEN = {
    "src/rowferry/exports/formats/pgcopy.py",
    "tests/exports/formats/test_pgcopy.py",
    "src/rowferry/assets/resources/people.py",
}
"""Files that a page tells its reader to make."""
SYSTEM_FOLDERS = {
    "bin",
    "dev",
    "etc",
    "home",
    "lib",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "tmp",
    "usr",
    "var",
}


def every(cls: type[Any]) -> Iterator[type[Any]]:
    yield cls
    for child in cls.__subclasses__():
        yield from every(child)


def ours(cls: type[Any]) -> list[type[Any]]:
    """The class and what is derived from it, tests' own left out."""
    return [one for one in every(cls) if one.__module__.startswith("rowferry.")]


@cache
def commands() -> dict[str, Any]:
    """Every command by its whole name, groups included."""
    return dict(_walk_commands("rowferry", get_command(app)))


def _walk_commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, child in getattr(command, "commands", {}).items():
        yield from _walk_commands(f"{name} {word}", child)


def variables() -> set[str]:
    """Environment variables that commands take options from."""
    return {
        str(option.envvar) for one in commands().values() for option in one.params if getattr(option, "envvar", None)
    }


def command_lines() -> list[str]:
    """Every `rowferry …` that a page tells its reader to type."""
    typed = re.findall(r"(?:\.venv/bin/)?(\browferry [a-z][^\n)|]*)", "\n".join(blocks("sh")))
    return typed + [span for path in PAGES for span in spans(path.read_text()) if re.match(r"rowferry [a-z…]", span)]


# What there is, the pages name.


def test_every_format_is_in_the_api_page_with_its_options() -> None:
    rows = first_cells("docs/api.md")
    for writer_class in format_writers().values():
        _, options = rows[writer_class.name]
        assert [option.name for option in writer_class.options if f"`{option.name}`" not in options] == []


def test_every_resource_is_in_the_api_page() -> None:
    assert {resource.name for resource in registry.resources()} <= set(spans(page("docs/api.md")))


def test_every_field_of_a_request_is_in_the_api_page() -> None:
    ways = {"async", "email_notification", "dry_run", "keep"}
    assert {*READERS, *ways} <= set(spans(page("docs/api.md")))


def test_every_endpoint_is_in_the_api_page() -> None:
    routes = [str(one.pattern) for one in urls.urlpatterns if one.name]
    said = [
        re.sub(r"<str:(\w+)>", lambda found: "{" + found[1].removeprefix("export_") + "}", route) for route in routes
    ]
    assert [route for route in said if f"/{route}" not in page("docs/api.md")] == []


def test_every_status_and_mode_is_explained() -> None:
    assert set(Status.values) <= set(spans(page("docs/api.md")))
    assert set(Mode.values) <= set(spans(page("README.md")))


def test_the_settings_page_has_every_setting_and_no_other() -> None:
    known = set(env.dump()) | variables() | {"DJANGO_SETTINGS_MODULE"}
    assert set(first_cells("docs/settings.md")) == known


@pytest.mark.parametrize(("name", "default"), [*conf.WHOLE_NUMBERS.items(), *conf.SECONDS.items()])
def test_the_settings_page_has_the_default_of(name: str, default: float) -> None:
    assert first_cells("docs/settings.md")[name][0] == f"{default:g}".replace("1e+05", "100000")


@pytest.mark.parametrize("error", ours(RowferryError), ids=lambda error: error.__name__)
def test_every_error_code_is_in_the_errors_page_with_its_status(error: type[RowferryError]) -> None:
    row = first_cells("docs/errors.md")[error.code]
    if error.__module__ == errors.__name__:
        stored = {"code": error.code, "title": "", "detail": ""}
        assert row[0] == str(records.problem(stored)["status"])


def test_the_codes_of_the_command_are_in_the_errors_page() -> None:
    import_module("rowferry.cli.clients.http")
    assert {error.code for error in ours(RowferryError)} <= set(first_cells("docs/errors.md"))


def test_every_command_is_in_the_operations_page() -> None:
    said = spans(page("docs/operations.md"))
    runnable = [name for name, command in commands().items() if not hasattr(command, "commands")]
    assert [name for name in runnable if not any(re.match(rf"{name}\b", span) for span in said)] == []


def test_the_operations_page_has_every_system_check_and_no_other() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*checks.py"))
    declared = sorted(set(re.findall(r'id="(\w+\.[EW]\d+)"', source)))
    explained = [code for code in first_cells("docs/operations.md") if re.fullmatch(r"\w+\.[EW]\d+", code)]
    assert sorted(explained) == declared != []


def test_every_make_target_is_in_contributing_and_every_one_promised_is_there() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", page("Makefile"), re.MULTILINE))
    assert {f"make {target}" for target in targets} <= set(spans(page("CONTRIBUTING.md")))
    promised = {name for path in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(), re.MULTILINE)}
    assert promised <= targets


def test_the_architecture_page_has_every_room_of_the_engine_and_no_other() -> None:
    rooms = {module.name for module in pkgutil.iter_modules(rowferry.exports.__path__)} | {"management", "templatetags"}
    assert set(rows_of_rooms()) == rooms - {"migrations"}


def test_the_architecture_page_has_the_layers_that_the_linter_enforces() -> None:
    (engine,) = [one for one in contracts() if one["name"].startswith("The engine")]
    layers = {room.strip(): str(level) for level, row in enumerate(engine["layers"], 1) for room in row.split("|")}
    assert {name: row[0] for name, row in rows_of_rooms().items()} == layers


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return found


def rows_of_rooms() -> dict[str, list[str]]:
    return {name: row for name, row in first_cells("docs/architecture.md").items() if "/" not in name}


def test_the_resource_page_has_every_filter_and_kind() -> None:
    said = page("docs/add-a-resource.md")
    filters = [one.__name__ for one in ours(Filter) if one is not Filter]
    assert [name for name in filters if f"`{name}(" not in said] == []
    assert [kind for kind in ValueType if f"`ValueType.{kind.name}`" not in said] == []


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    assert "\n## Unreleased\n" in page("CHANGELOG.md")


# What the pages name, there is.


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere_in_the_project(path: Path) -> None:
    for link in LINK.findall(CODE.sub("", path.read_text())):
        if not link.startswith(("http://", "https://")):
            file, _, heading = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.is_relative_to(ROOT), link
            assert target.is_file(), link
            assert not heading or heading in anchors(target), link


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", CODE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_speaks_of_files_outside_the_project(path: Path) -> None:
    text = path.read_text()
    absolute = [Path(found) for found in re.findall(r"(?<![\w.:/>}$)*-])/[\w.-]+(?:/[\w.-]+)*", text)]
    assert [one for one in absolute if one.parts[1] in SYSTEM_FOLDERS or (len(one.parts) > 2 and one.exists())] == []
    climbing = re.findall(r"(?:\.\./)+[\w./-]*", text)
    assert all((path.parent / link).resolve().is_relative_to(ROOT) for link in climbing)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_file_that_a_page_names_is_there(path: Path) -> None:
    named = [span for span in spans(path.read_text()) if re.fullmatch(r"[\w.]+(/[\w.-]+)+\.(py|md|lock)", span)]
    lost = [name for name in named if not any((top / name).is_file() for top in (ROOT, ROOT / "src/rowferry"))]
    assert set(lost) <= TO_BE_WRITTEN


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_of_a_page_is_one(line: str) -> None:
    words = shlex.split(line)
    name = words.pop(0)
    while hasattr(commands()[name], "commands") and words:
        name = f"{name} {words.pop(0)}"
        assert name in commands()
    options = {option for one in commands()[name].params for option in [*one.opts, *one.secondary_opts]}
    assert {word for word in words if word.startswith("-")} <= options


# What runs an installation.


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_setting_that_a_page_names_is_one(path: Path) -> None:
    named = set(re.findall(r"\bROWFERRY_[A-Z_]+[A-Z]\b", path.read_text()))
    assert named <= set(first_cells("docs/settings.md"))


def test_the_units_start_commands_that_there_are() -> None:
    (unit,) = blocks("ini", "docs/operations.md")
    (command,) = re.findall(r"^ExecStart=\S*/(rowferry \w+)$", unit, re.MULTILINE)
    assert {command, "rowferry web", "rowferry scheduler"} <= set(commands())
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(patience) >= conf.SECONDS["ROWFERRY_GRACE"] + supervisor.HAND_OVER + supervisor.LAST


@pytest.mark.parametrize("language", ["nginx", ""])
def test_a_proxy_waits_longer_than_an_export_may_take(language: str) -> None:
    (text,) = [code for code in blocks(language, "docs/operations.md") if "exports.example.com" in code]
    waits = [int(seconds) for seconds in re.findall(r"timeout (\d+)s", text)]
    assert waits
    assert min(waits) > conf.SECONDS["ROWFERRY_TIME_LIMIT"]


@pytest.mark.django_db
def test_the_operations_page_has_every_metric_and_no_other() -> None:
    told = set(re.findall(r"^# TYPE (rowferry_\w+)", metrics.page().decode(), re.MULTILINE))
    said = {name for name in first_cells("docs/operations.md") if name.startswith("rowferry_")}
    assert said == told


def test_alerts_ask_for_metrics_and_states_that_there_are() -> None:
    (text,) = blocks("yaml", "docs/operations.md")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"rowferry_\w+", rule["expr"])}
    assert asked <= set(first_cells("docs/operations.md"))
    assert {name for rule in rules for name in re.findall(r'event="(\w+)"', rule["expr"])} <= set(Event.values)
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_the_operations_page_has_every_check_of_readiness() -> None:
    names = {"database", "queue_age", "lease_overrun", "scheduler_age", "storage", "free_space"}
    assert names <= set(first_cells("docs/operations.md"))
