"""Old and new workers share a queue while an installation is upgraded: what is on it must mean the same to both."""

from __future__ import annotations

import inspect

import pytest
from celery import current_app

from rowferry.exports import persistent_names, tasks

FROZEN = {"rowferry.run": ["export_id"], "rowferry.answer": ["ping_id"]}
"""Each task by its name, with its arguments. Never change a line: a new meaning is a new task, and the old one stays
until no version that sends it may still run."""


def test_the_names_and_arguments_of_tasks_stay_as_they_were() -> None:
    ours = {name: task for name, task in current_app.tasks.items() if name.startswith("rowferry.")}
    assert {name: list(inspect.signature(task.run).parameters) for name, task in ours.items()} == FROZEN


def test_names_that_are_stored_or_sent_stay_as_they_were() -> None:
    assert {name: value for name, value in vars(persistent_names).items() if name.isupper()} == {
        "QUEUE": "exports",
        "RUN_TASK": "rowferry.run",
        "ANSWER_TASK": "rowferry.answer",
        "SCHEDULER_ROLE": "scheduler",
        "HASH_DOMAIN": "rowferry.hash",
        "PART_SUFFIX": ".part",
        "MANIFEST_SUFFIX": ".manifest.json",
        "SIGNATURE_ALGORITHM": "EdDSA",
        "SIGNATURE_FIELD": "signature",
    }


def test_messages_go_to_the_queue_where_every_version_listens() -> None:
    route = current_app.amqp.router.route({}, tasks.run.name)
    assert (route["queue"].name, current_app.conf.task_default_exchange) == ("exports", "exports")


@pytest.mark.django_db(transaction=True)
def test_a_message_of_another_version_for_an_export_that_is_gone_does_no_harm() -> None:
    assert tasks.run("00000000-0000-0000-0000-000000000000") is None
    assert tasks.answer("nobody-waits-any-more") is None
