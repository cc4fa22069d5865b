"""The rows: a seeded department, made bigger inside the database by copies with keys, tags and serials of their own."""

from __future__ import annotations

from bench.measuring import PRODUCT, output_of
from bench.servers import Database

SEEDED = 10_000
"""Rows that `seed_assets` makes; all beyond are copies of these, since Python takes minutes to make a million."""
COPIED = (
    "name, status_id, location_id, assigned_to_id, manufacturer_id, asset_type_id, "
    "purchase_date, warranty_expiry_date, created_at, updated_at"
)
BATCH_SIZE = 100
"""Copies that a client is told of in one command: a command line has its limit."""
TRUSTED = {
    "MariaDB": "SET foreign_key_checks = 0, unique_checks = 0; ",
    "SQLite": "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN; ",
}
"""What spares a database to check rows that cannot be wrong, and to keep safe what can be made again."""
TRUSTED_NO_MORE = {"SQLite": "; COMMIT; PRAGMA journal_mode = WAL"}
AFTERWARDS = {
    "PostgreSQL": ("SELECT setval('assets_asset_id_seq', (SELECT max(id) FROM assets_asset))", "VACUUM ANALYZE"),
    "SQLite": (),
    "MariaDB": ("ANALYZE TABLE assets_asset",),
}


def seed_assets(database: Database) -> None:
    """Make the tables, and SEEDED assets: the same ones in every database."""
    django(database, "migrate", "--verbosity=0")
    django(database, "seed_assets", f"--assets={SEEDED}")
    analyze(database)


def grow(database: Database, present: int, rows: int) -> None:
    """Add copies until there are `rows`; both numbers are multiples of SEEDED."""
    before, behind = TRUSTED.get(database.name, ""), TRUSTED_NO_MORE.get(database.name, "")
    copies = list(map(copy_statement, range(present, rows, SEEDED)))
    for at in range(0, len(copies), BATCH_SIZE):
        run(database, before + "; ".join(copies[at : at + BATCH_SIZE]) + behind)
    analyze(database)


def analyze(database: Database) -> None:
    """What a database does by itself within a minute or so: count its rows for the planner."""
    for statement in AFTERWARDS[database.name]:
        run(database, statement)


def copy_statement(shift: int) -> str:
    """The statement that adds the seeded rows once more, `shift` further on."""
    number = f"'' || ({10_000_000 + shift} + id)"
    serial = f"CASE WHEN serial_number LIKE 'SN%' THEN substr(serial_number, 1, 9) || '{shift // SEEDED:03X}' "
    return (
        f"INSERT INTO assets_asset (id, asset_tag, serial_number, {COPIED}) "
        f"SELECT id + {shift}, 'AST-' || substr({number}, 2), {serial} ELSE serial_number END, {COPIED} "
        f"FROM assets_asset WHERE id <= {SEEDED}"
    )


def copy_database(database: Database, name: str) -> Database:
    """A further PostgreSQL database that begins as this one is now."""
    original = database.url.rpartition("/")[2]
    run(database.with_name("template1"), f"CREATE DATABASE {name} TEMPLATE {original}")
    return database.with_name(name)


def shrink(database: Database, rows: int) -> None:
    run(database, f"DELETE FROM assets_asset WHERE id > {rows}")


def run(database: Database, statement: str) -> None:
    output_of(*database.client(statement))


def django(database: Database, *arguments: str) -> None:
    output_of(PRODUCT, "-m", "django", *arguments, environment=database.environment)
