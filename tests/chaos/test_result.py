"""The figures of chaos: what judges them sees what is wrong, and the page has a row for each."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from chaos.__main__ import COMMANDS, QUICK
from chaos.faults.message_loss import times
from chaos.file_rows import rows_of
from chaos.result import ROOT, Figure, share
from chaos.snapshot_isolation import ROWS, balanced
from chaos.state_machine import steps_of, why

from chaos import report
from tests.pages import page, spans

GOOD = [(number, number % 10, 0, "") for number in range(ROWS)]
PAIR = [(ROWS + 1, 99, 5, "a pair"), (ROWS + 2, 99, -5, "a pair")]


def test_the_page_can_be_written_where_django_is_not_set_up():
    bare = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run([sys.executable, "-c", "import chaos.report"], cwd=ROOT, env=bare, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_a_figure_is_one_line_that_says_whether_it_is_reached():
    figure = Figure(3, "messages", "all dropped", "0 lost", "0 lost", False)
    assert figure.line == "3 messages: all dropped: 0 lost (goal: 0 lost): MISSED"
    assert "\n" not in figure.line


def test_a_missed_figure_shows_as_missed_in_the_table():
    figures = [Figure(3, "b", "x", "1 | 2", "0", False), Figure(1, "a", "y", "0", "0", True)]
    *_, first, second = report.text(figures).splitlines()
    assert first == "| 1 | y | 0 | 0 | reached |"
    assert second == "| 3 | x | 1 / 2 | 0 | **missed** |"


def test_every_command_is_in_the_page():
    assert {*COMMANDS} <= set(spans(page("docs/reliability.md")))
    assert {*QUICK} <= {*COMMANDS}


@pytest.mark.parametrize(
    "rows",
    [
        [*GOOD, PAIR[0]],
        GOOD[1:],
        [*GOOD[1:], GOOD[1]],
        [(0, 0, 7, ""), *GOOD[1:]],
        [*GOOD, *PAIR, PAIR[0]],
    ],
    ids=["half a pair", "one missing", "one twice", "half a move", "a pair and a half"],
)
def test_a_ledger_of_no_one_moment_is_seen(rows: list[tuple[int, int, int, str]]):
    assert not balanced(rows)


def test_a_ledger_of_one_moment_balances():
    assert balanced(GOOD)
    assert balanced([(0, 0, 7, ""), (1, 1, -7, ""), *GOOD[2:], *PAIR])


def test_the_largest_of_nineteen_twentieths():
    assert share([float(number) for number in range(100)], 0.95) == 95
    assert share([], 0.95) == 0


def test_rows_are_read_back_as_they_are_in_the_table():
    csv = '\ufeffid,account,amount,note\r\n1,2,-3,"two\nlines"\r\n'.encode()
    assert rows_of("csv", csv) == [(1, 2, -3, "two\nlines")]
    assert rows_of("json", b'{"data": [{"id": 1, "account": 2, "amount": -3, "note": "x"}]}') == [(1, 2, -3, "x")]


def test_bells_ring_once_unless_somebody_says_otherwise(tmp_path):
    assert times(tmp_path) == 1
    (tmp_path / "bells").write_text("3")
    assert times(tmp_path) == 3


def test_a_run_of_the_state_machine_says_how_far_it_came_and_how_it_ended():
    assert (steps_of("steps: 500\n1 passed"), steps_of("")) == (500, 0)
    assert why("F\nE   AssertionError: two fences\n1 failed", "") == "VIOLATED E   AssertionError: two fences"
    assert why("F\n  | AssertionError: two fences\n", "") == "VIOLATED AssertionError: two fences"
    assert why(".\n", "+++ Timeout +++\n") == "BROKEN OFF ['+++ Timeout +++']"
