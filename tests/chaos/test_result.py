"""The figures of chaos: what judges them sees what is wrong, and the page has a row for each."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from chaos.__main__ import COMMANDS, QUICK
from chaos.faults.message_loss import FILE, copies
from chaos.file_rows import read_rows
from chaos.result import ROOT, Figure, percentile
from chaos.snapshot_isolation import ROWS, is_balanced
from chaos.state_machine import count_steps, find_failure

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
    *_, first, second = report.render_table(figures).splitlines()
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
    assert not is_balanced(rows)


def test_a_ledger_of_one_moment_balances():
    assert is_balanced(GOOD)
    assert is_balanced([(0, 0, 7, ""), (1, 1, -7, ""), *GOOD[2:], *PAIR])


def test_the_largest_of_nineteen_twentieths():
    assert percentile([float(number) for number in range(100)], 0.95) == 95
    assert percentile([], 0.95) == 0


def test_rows_are_read_back_as_they_are_in_the_table():
    csv = '\ufeffid,account,amount,note\r\n1,2,-3,"two\nlines"\r\n'.encode()
    assert read_rows("csv", csv) == [(1, 2, -3, "two\nlines")]
    assert read_rows("json", b'{"data": [{"id": 1, "account": 2, "amount": -3, "note": "x"}]}') == [(1, 2, -3, "x")]


def test_messages_are_sent_once_by_default(tmp_path):
    assert copies(tmp_path) == 1
    (tmp_path / FILE).write_text("3")
    assert copies(tmp_path) == 3


def test_a_run_of_the_state_machine_says_how_far_it_came_and_how_it_ended():
    assert (count_steps("steps: 500\n1 passed"), count_steps("")) == (500, 0)
    assert find_failure("F\nE   AssertionError: two fences\n1 failed", "") == "VIOLATED E   AssertionError: two fences"
    assert find_failure("F\n  | AssertionError: two fences\n", "") == "VIOLATED AssertionError: two fences"
    assert find_failure(".\n", "+++ Timeout +++\n") == "BROKEN OFF ['+++ Timeout +++']"
