"""The rows: a seeded department, made bigger inside the database by copies that differ in key, tag and serial number."""

from __future__ import annotations

from bench.measuring import PRODUCT, output_of
from bench.servers import Database

SEEDED = 20_000
"""Rows that `seed_assets` makes; all beyond are copies of these, since Python takes minutes to make a million."""
COPIED = (
    "name, status_id, location_id, assigned_to_id, manufacturer_id, asset_type_id, "
    "purchase_date, warranty_expiry_date, created_at, updated_at"
)
AFTERWARDS = {
    "PostgreSQL": ("SELECT setval('assets_asset_id_seq', (SELECT max(id) FROM assets_asset))", "VACUUM ANALYZE"),
    "SQLite": (),
    "MariaDB": ("ANALYZE TABLE assets_asset",),
}


def fill(database: Database, rows: int) -> None:
    """Make the tables, and so many assets: the same ones in every database."""
    django(database, "migrate", "--verbosity=0")
    django(database, "seed_assets", f"--assets={min(rows, SEEDED)}")
    grow(database, SEEDED, rows)


def grow(database: Database, present: int, rows: int) -> None:
    """Add copies until there are `rows`; both numbers are multiples of SEEDED, or there is nothing to add."""
    for shift in range(present, rows, SEEDED):
        run(database, copy(shift))
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


def create(database: Database) -> None:
    """Make the database itself, where a server keeps several."""
    if database.name == "PostgreSQL":
        server, _, name = database.url.rpartition("/")
        output_of(*Database(database.name, f"{server}/postgres", database.folder).client(f"CREATE DATABASE {name}"))


def run(database: Database, statement: str) -> None:
    output_of(*database.client(statement))


def django(database: Database, *arguments: str) -> None:
    output_of(PRODUCT, "-m", "django", *arguments, environment=database.environment)
