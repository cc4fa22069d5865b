"""What the engine asks about PostgreSQL."""

from __future__ import annotations

from rowferry.exports.databases.traits import REFUSAL, DatabaseTraits

POSTGRESQL = DatabaseTraits(
    mode_sql="SHOW transaction_isolation",
    tested_modes=("read committed",),
    clock_sql="SELECT clock_timestamp()",
    trigger_action="FOR EACH ROW EXECUTE FUNCTION rowferry_append_only()",
    trigger_function=(
        "CREATE OR REPLACE FUNCTION rowferry_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    ),
    trigger_suffix=" ON {table}",
    active_triggers_sql="SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
    flush_fires_triggers=False,  # it truncates, which no trigger of a row sees
)
