"""What the engine asks about SQLite."""

from __future__ import annotations

from rowferry.exports.databases.traits import REFUSAL, DatabaseTraits

SQLITE = DatabaseTraits(
    is_file=True,
    mode_sql="PRAGMA journal_mode",
    tested_modes=("wal", "memory"),
    trigger_action=f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    active_triggers_sql="SELECT name FROM sqlite_master WHERE type = 'trigger'",
)
