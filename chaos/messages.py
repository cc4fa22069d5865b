"""Figure 3: messages that never arrive, and messages that arrive three times."""

from __future__ import annotations

from collections import Counter

from chaos import checker
from chaos.file_rows import FORMATS
from chaos.installation import Site, site
from chaos.result import Figure
from rowferry.exports.models import Attempt

SILENCE = 6.0
"""Seconds during which no message arrives, the scheduler's own included."""
PATIENT = "30"
"""Seconds of a lease: nobody dies here, so no try may end because the machine is busy."""


def messages(quick: bool) -> Figure:
    """Figure 3."""
    count = 12 if quick else 40
    with site(4_000, ROWFERRY_LEASE=PATIENT) as place:
        place.start()
        lost = dropped(place, count)
        doubled = tripled(place, count)
        verdict = checker.judge(place, [])
        tries = Counter(Attempt.objects.using(place.alias).values_list("outcome", flat=True))
    return Figure(
        3,
        "messages",
        f"{count} exports whose messages are dropped for {SILENCE:g} s, then {count} whose messages come three times",
        f"{lost}; {doubled}; {verdict}; tries: {dict(tries)}",
        "silence while there is no message, then all finish; one file, one completed event, one mail, one try each",
        verdict.sound
        and verdict.completed == 2 * count
        and tries == {"completed": 2 * count}
        and lost.startswith("0 began"),
    )


def dropped(place: Site, count: int) -> str:
    (place.traps.folder / "bells").write_text("0")
    for number in range(count):
        place.order(FORMATS[number % 3], f"dropped {number}")
    place.wait(lambda: False, SILENCE)
    began = place.exports.exclude(status="pending").count()
    (place.traps.folder / "bells").write_text("1")
    finished = "all finished" if checker.rest(place) else "NOT all finished"
    return f"{began} began without a message, then {finished}"


def tripled(place: Site, count: int) -> str:
    (place.traps.folder / "bells").write_text("3")
    for number in range(count):
        place.order(FORMATS[number % 3], f"tripled {number}")
    return "tripled: " + ("all finished" if checker.rest(place) else "NOT all finished")
