"""What the engine asks about a kind of database, beside how its rows are read."""

from __future__ import annotations

from dataclasses import dataclass

REFUSAL = "The log of exports is append-only."


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseTraits:
    """One kind of database. The defaults are right for a kind that is not known."""

    is_file: bool = False
    """Whether it is a file of one machine, which no other machine shares."""
    mode_sql: str = ""
    """A query for the isolation level or the journal mode; the last column of the row has it."""
    tested_modes: tuple[str, ...] = ()
    """The answers under which the changes of state of exports were tested, in lower case; the first one is wanted."""
    clock_sql: str = ""
    """A query for the time; "" = the database uses the clock of this machine."""
    trigger_action: str = ""
    """The end of CREATE TRIGGER: refuse the statement; "" = the database gets no triggers."""
    trigger_function: str = ""
    """A statement that creates what `trigger_action` calls."""
    trigger_suffix: str = ""
    """What DROP TRIGGER wants behind the name; `{table}` is the table."""
    active_triggers_sql: str = ""
    """A query for the names of the triggers that are enabled."""
    flush_fires_triggers: bool = True
    """Whether Django's flush deletes row by row, so that the triggers refuse it."""
