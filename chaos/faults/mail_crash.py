"""Figure 9: whoever sends the mails is killed between the mail server's yes and our mark."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from pathlib import Path

from tests.services import smtp

from chaos import checker
from chaos.file_rows import FORMATS
from chaos.installation import create_installation
from chaos.result import Figure


def mails(quick: bool) -> Figure:
    """Figure 9."""
    exports, kills = (12, 3) if quick else (40, 12)
    with smtp() as (url, folder), create_installation(500, EMAIL_URL=url, CHAOS_HASTE="1") as installation:
        installation.start(schedulers=2)
        for number in range(exports):
            if number < kills:
                installation.failpoints.arm("mail_after_smtp_before_mark", "kill")
            installation.create_export(FORMATS[number % 3], f"mail {number}")
        installation.wait_until(lambda: not installation.failpoints.count_armed(), 120)
        killed = len(installation.failpoints.list_fired())
        checker.wait_until_idle(installation, 120)
        verdict = checker.check_installation(installation, [])
        events = installation.logs.filter(event__in=("completed", "failed")).count()
        sent, distinct = count_mails(folder)
    return Figure(
        9,
        "mails",
        f"{exports} exports, the scheduler killed {killed} times between the mail server's yes and our mark",
        f"{distinct} distinct Message-IDs, {sent} mails, for {events} events; {verdict}",
        "distinct Message-IDs = events",
        distinct == events == exports and killed == kills and verdict.passed,
    )


def count_mails(folder: Path) -> tuple[int, int]:
    """How many mails the server took, and how many different ones."""
    found = [message_from_bytes(path.read_bytes(), policy=default)["Message-ID"] for path in folder.iterdir()]
    return len(found), len(set(found))
