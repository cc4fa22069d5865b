"""The only place where an export changes its state: one conditional UPDATE and its log line in one transaction.

A worker holds a `Claim`: an export and the fence that was raised for it. Whatever a claim does says `WHERE fence =
mine`, so a worker that was taken for dead can change nothing. A try that failed keeps the state `processing`; its
lease just ends when the next try is due. Times are the database's clock.
"""

from rowferry.exports.lifecycle.claims import Claim, beat, check_cancelled, claim_due, due, expect, progress
from rowferry.exports.lifecycle.completion import (
    FileResult,
    complete,
    fail,
    fail_abandoned,
    fail_unstarted,
    held_by,
    mark_abandoned_cancelled,
    mark_cancelled,
    release_leases,
)
from rowferry.exports.lifecycle.log_writer import mail, record
from rowferry.exports.lifecycle.transitions import MOVES, begin, create, delete, expire, record_download, request_cancel

__all__ = [
    "MOVES",
    "Claim",
    "FileResult",
    "beat",
    "begin",
    "check_cancelled",
    "claim_due",
    "complete",
    "create",
    "delete",
    "due",
    "expect",
    "expire",
    "fail",
    "fail_abandoned",
    "fail_unstarted",
    "held_by",
    "mail",
    "mark_abandoned_cancelled",
    "mark_cancelled",
    "progress",
    "record",
    "record_download",
    "release_leases",
    "request_cancel",
]
