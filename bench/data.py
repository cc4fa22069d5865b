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
TRUSTED = {"MariaDB": "SET foreign_key_checks = 0, unique_checks = 0; "}
"""What spares a server to check rows that cannot be wrong."""
AFTERWARDS = {
    "PostgreSQL": ("SELECT setval('assets_asset_id_seq', (SELECT max(id) FROM assets_asset))", "VACUUM ANALYZE"),
    "SQLite": (),
    "MariaDB": ("ANALYZE TABLE assets_asset",),
}


def seed(database: Database) -> None:
    """Make the tables, and SEEDED assets: the same ones in every database."""
    django(database, "migrate", "--verbosity=0")
    django(database, "seed_assets", f"--assets={SEEDED}")


def grow(database: Database, present: int, rows: int) -> None:
    """Add copies until there are `rows`; both numbers are multiples of SEEDED."""
    for shift in range(present, rows, SEEDED):
        run(database, TRUSTED.get(database.name, "") + copy(shift))
    for statement in AFTERWARDS[database.name]:
        run(database, statement)


def copy(shift: int) -> str:
    """The statement that adds the seeded rows once more, `shift` further on."""
    number = f"'' || ({10_000_000 + shift} + id)"
    serial = f"CASE WHEN serial_number LIKE 'SN%' THEN substr(serial_number, 1, 9) || '{shift // SEEDED:03X}' "
    return (
        f"INSERT INTO assets_asset (id, asset_tag, serial_number, {COPIED}) "
        f"SELECT id + {shift}, 'AST-' || substr({number}, 2), {serial} ELSE serial_number END, {COPIED} "
        f"FROM assets_asset WHERE id <= {SEEDED}"
    )


def copied(database: Database, name: str) -> Database:
    """A further PostgreSQL database that begins as this one is now."""
    original = database.url.rpartition("/")[2]
    run(database.another("template1"), f"CREATE DATABASE {name} TEMPLATE {original}")
    return database.another(name)


def shrink(database: Database, rows: int) -> None:
    run(database, f"DELETE FROM assets_asset WHERE id > {rows}")


def run(database: Database, statement: str) -> None:
    output_of(*database.client(statement))


def django(database: Database, *arguments: str) -> None:
    output_of(PRODUCT, "-m", "django", *arguments, environment=database.environment)
