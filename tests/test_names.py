"""Names in `src` are the field's words: functions are verbs, no banned metaphors, and folders stay small."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.pages import ROOT

SRC = ROOT / "src"
BANNED = {"bell", "crew", "door", "keepsake", "ring", "sink", "storm", "vitals"}
MOST_PARTICIPLES = 0.005
MOST_MODULES = 16
"""Modules of one folder, without `__init__`."""
IRREGULAR = """
begun bound bought brought built caught chosen done drawn driven fed felt found given gone grown had heard held
hidden kept known laid led left lent lost made meant met paid proven rung said seen sent shown sold sought spent
spoken stood sunk sworn swept taken taught told thought thrown torn understood withheld won worn written
"""
VERBS = {"embed", "exceed", "feed", "need", "proceed", "seed", "speed"}
"""End in "ed" and are no participles."""
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@cache
def modules() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(SRC.rglob("*.py"))}


def functions() -> list[str]:
    nodes = (node for tree in modules().values() for node in ast.walk(tree))
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def identifiers(tree: ast.Module) -> Iterator[str]:
    """Names of what is defined, assigned, imported or used, and of arguments."""
    for node in ast.walk(tree):
        yield from (name for key in ("name", "id", "attr", "arg", "asname") if (name := getattr(node, key, None)))


def words(identifier: str) -> list[str]:
    return [word.lower() for word in WORD.findall(identifier)]


def is_participle(name: str) -> bool:
    """Whether a function is called by one participle alone, such as `sealed` or `told`."""
    bare = name.strip("_")
    return bare in IRREGULAR.split() or (bare.endswith("ed") and "_" not in bare and bare not in VERBS)


def is_banned(identifier: str) -> bool:
    return bool(BANNED & {form for word in words(identifier) for form in (word, word.removesuffix("s"))})


def test_functions_are_not_named_by_participles() -> None:
    names = functions()
    found = sorted(filter(is_participle, names))
    assert len(found) <= MOST_PARTICIPLES * len(names), found


def test_identifiers_have_no_banned_word() -> None:
    found = {
        str(path.relative_to(SRC)): sorted(filter(is_banned, identifiers(tree))) for path, tree in modules().items()
    }
    assert {path: names for path, names in found.items() if names} == {}
    assert [str(path) for path in modules() if is_banned(path.stem)] == []


def test_folders_have_at_most_sixteen_modules() -> None:
    sizes = Counter(path.parent.relative_to(SRC) for path in modules() if path.stem != "__init__")
    assert {str(folder): size for folder, size in sizes.items() if size > MOST_MODULES} == {}


@pytest.mark.parametrize(
    "name", ["ring", "ring_due", "RINGS", "Bells", "_sink", "SinkWriter", "door_of", "DOORBELL_RING"]
)
def test_a_banned_word_is_found_in_any_spelling(name: str) -> None:
    assert is_banned(name)


@pytest.mark.parametrize("name", ["string", "buffering", "indoor", "sync", "storage", "STRINGS", "Screw"])
def test_a_word_that_contains_a_banned_one_is_allowed(name: str) -> None:
    assert not is_banned(name)


@pytest.mark.parametrize("name", ["sealed", "_told", "kept"])
def test_a_participle_alone_is_found(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize("name", ["seed", "send_mail", "mark_expired", "run"])
def test_a_verb_is_allowed(name: str) -> None:
    assert not is_participle(name)
