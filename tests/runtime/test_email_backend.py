"""The e-mail backend that writes files."""

from __future__ import annotations

import multiprocessing
import stat
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives

from rowferry.runtime.email_backend import EmailBackend

LONG = "Zeile mit Umlaut: äöü €\n" * 2_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "mail"


def mail(subject: str = "Your export", **options: Any) -> EmailMessage:
    return EmailMessage(subject, "Ready.\nGrüße", "us@example.com", ["olga@example.com"], **options)


def parse_message(file: Path) -> ParsedMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)  # type: ignore[return-value]


def test_a_message_becomes_one_file_that_another_program_reads(folder: Path) -> None:
    message = EmailMultiAlternatives("Prêt: 3 строки", "Plain", "us@example.com", ["olga@example.com"])
    message.attach_alternative("<p>Rich</p>", "text/html")
    assert EmailBackend(file_path=str(folder)).send_messages([message]) == 1
    (file,) = folder.iterdir()
    read = parse_message(file)
    assert (read["Subject"], read["To"]) == ("Prêt: 3 строки", "olga@example.com")
    assert read.get_body(("html",)).get_content().strip() == "<p>Rich</p>"  # type: ignore[union-attr]
    assert file.read_bytes().count(b"\n") == file.read_bytes().count(b"\r\n")


def test_names_sort_by_time_and_hold_the_message_id(folder: Path) -> None:
    letters = [mail(str(number), headers={"Message-ID": f"<{9 - number}/../x@rowferry>"}) for number in range(9)]
    EmailBackend(file_path=str(folder)).send_messages(letters)
    files = sorted(folder.iterdir())
    assert [parse_message(file)["Subject"] for file in files] == [str(number) for number in range(9)]
    assert files[0].name.endswith("-9_.._x@rowferry.eml")


def test_the_same_message_sent_twice_is_two_files(folder: Path) -> None:
    for _ in range(2):
        EmailBackend(file_path=str(folder)).send_messages([mail(headers={"Message-ID": "<one@rowferry>"})])
    assert [parse_message(file)["Message-ID"] for file in folder.iterdir()] == ["<one@rowferry>"] * 2


def test_the_setting_names_the_folder_and_only_the_owner_may_read(folder: Path, settings: Any) -> None:
    settings.EMAIL_FILE_PATH = str(folder)
    EmailBackend().send_messages([mail()])
    (file,) = folder.iterdir()
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)


def test_a_message_to_nobody_is_not_written(folder: Path) -> None:
    assert EmailBackend(file_path=str(folder)).send_messages([EmailMessage("To nobody")]) == 0
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_an_error_unless_silence_was_asked_for(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()
    with pytest.raises(FileExistsError):
        EmailBackend(file_path=str(folder)).send_messages([mail()])
    assert EmailBackend(file_path=str(folder), fail_silently=True).send_messages([mail()]) == 0


def write_many(folder: str) -> None:
    for _ in range(100):
        EmailBackend(file_path=folder).send_messages([EmailMessage("Long", LONG, "us@example.com", ["o@example.com"])])


def test_a_reader_never_sees_half_a_file(folder: Path) -> None:
    folder.mkdir(parents=True)
    writer = multiprocessing.get_context("fork").Process(target=write_many, args=(str(folder),))
    writer.start()
    looks = 0
    while writer.is_alive() or looks == 0:
        for file in list(folder.glob("*.eml"))[-3:]:
            assert parse_message(file).get_content().count("€") == 2_000
            looks += 1
    writer.join()
    assert len(list(folder.glob("*.eml"))) == len(list(folder.iterdir())) == 100
