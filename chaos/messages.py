"""Figure 3: messages that never arrive, and messages that arrive three times."""

from __future__ import annotations

from collections import Counter

from chaos import checker
from chaos.faults import message_loss
from chaos.file_rows import FORMATS
from chaos.installation import Installation, create_installation
from chaos.result import Figure
from rowferry.exports.models import Attempt

SILENCE = 6.0
"""Seconds during which no message arrives, the scheduler's own included."""
LONG_LEASE = "30"
"""Seconds of a lease: nobody dies here, so no try may end because the machine is busy."""


def messages(quick: bool) -> Figure:
    """Figure 3."""
    count = 12 if quick else 40
    with create_installation(4_000, ROWFERRY_LEASE=LONG_LEASE) as installation:
        installation.start()
        lost = drop_messages(installation, count)
        doubled = triple_messages(installation, count)
        verdict = checker.check_installation(installation, [])
        tries = Counter(Attempt.objects.using(installation.alias).values_list("outcome", flat=True))
    return Figure(
        3,
        "messages",
        f"{count} exports whose messages are dropped for {SILENCE:g} s, then {count} whose messages come three times",
        f"{lost}; {doubled}; {verdict}; tries: {dict(tries)}",
        "silence while there is no message, then all finish; one file, one completed event, one mail, one try each",
        verdict.passed
        and verdict.completed == 2 * count
        and tries == {"completed": 2 * count}
        and lost.startswith("0 began"),
    )


def drop_messages(installation: Installation, count: int) -> str:
    (installation.failpoints.folder / message_loss.FILE).write_text("0")
    for number in range(count):
        installation.create_export(FORMATS[number % 3], f"dropped {number}")
    installation.wait_until(lambda: False, SILENCE)
    began = installation.exports.exclude(status="pending").count()
    (installation.failpoints.folder / message_loss.FILE).write_text("1")
    finished = "all finished" if checker.wait_until_idle(installation) else "NOT all finished"
    return f"{began} began without a message, then {finished}"


def triple_messages(installation: Installation, count: int) -> str:
    (installation.failpoints.folder / message_loss.FILE).write_text("3")
    for number in range(count):
        installation.create_export(FORMATS[number % 3], f"tripled {number}")
    return "tripled: " + ("all finished" if checker.wait_until_idle(installation) else "NOT all finished")
