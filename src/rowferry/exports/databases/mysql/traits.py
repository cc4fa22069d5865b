"""What the engine asks about MariaDB and MySQL."""

from __future__ import annotations

from rowferry.exports.databases.traits import REFUSAL, DatabaseTraits

MYSQL = DatabaseTraits(
    # MariaDB learned MySQL's name for it in version 11.
    mode_sql="SHOW VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')",
    tested_modes=("read committed",),
    clock_sql="SELECT UTC_TIMESTAMP(6)",
    trigger_action=f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSAL}'",
    active_triggers_sql="SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
)
