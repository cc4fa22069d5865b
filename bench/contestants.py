"""Who runs: Rowferry's engine and worker, the databases' own clients, and the peers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bench.measuring import PEERS, PRODUCT, Contestant, output_of
from bench.servers import Database
from bench.table import SELECT

FORMATS = ("csv", "excel", "json")
CLIENTS = {
    "PostgreSQL": ("psql COPY to CSV", "csv"),
    "SQLite": ("sqlite3 -csv", "csv"),
    "MariaDB": ("mariadb --batch", "tsv"),
}
PLAIN_COPY = f"COPY ({SELECT}) TO STDOUT (FORMAT csv, HEADER)"
JSON_COPY = f"COPY (SELECT row_to_json(t) FROM ({SELECT}) t) TO STDOUT"
ENGINE, WORKER = "Rowferry, engine", "Rowferry, worker"
SAME_SQL, JSON_ROWS = "psql COPY of the engine's SQL", "psql COPY of row_to_json"


def rowferry(database: Database) -> list[Contestant]:
    """The engine alone and a worker's whole task, in each format."""
    ways = ((ENGINE, "engine"), (WORKER, "worker"))
    return [
        Contestant(
            name=name,
            format=format_name,
            database=database.name,
            command=(str(PRODUCT), "-m", "bench.engine_runs", module, format_name, "{file}"),
            environment=database.environment,
            role=module,
        )
        for format_name in FORMATS
        for name, module in ways
    ]


def baselines(database: Database) -> list[Contestant]:
    """The database's own client writing plain CSV; for PostgreSQL also JSON, and the very statement of the engine."""
    name, reader = CLIENTS[database.name]
    found = [baseline(database, name, "csv", PLAIN_COPY if database.name == "PostgreSQL" else SELECT, reader)]
    if database.name == "PostgreSQL":
        found += [
            baseline(database, SAME_SQL, "csv", f"COPY ({engine_sql(database)}) TO STDOUT (FORMAT csv)", "headless"),
            baseline(database, JSON_ROWS, "json", JSON_COPY, "copied"),
        ]
    return found


def baseline(database: Database, name: str, format_name: str, sql: str, reader: str) -> Contestant:
    return Contestant(
        name=name,
        format=format_name,
        database=database.name,
        command=database.client(sql),
        environment={},
        clock=False,
        reader=reader,
        role="baseline",
    )


def engine_sql(database: Database) -> str:
    return output_of(PRODUCT, "-m", "bench.engine_runs", "engine", "csv", environment=database.environment).strip()


def peers(database: Database) -> Iterator[Contestant]:
    """Every peer in each of its formats."""
    for peer in described_peers():
        for format_name in peer["formats"]:
            yield Contestant(
                name=peer["name"],
                format=format_name,
                database=database.name,
                command=(str(PEERS), "-m", "bench.peers", peer["module"], format_name, "{file}"),
                environment={"DATABASE_URL": database.url},
            )


def described_peers() -> list[dict[str, Any]]:
    """Module, name, formats and versions, as the peers' own interpreter knows them."""
    found: list[dict[str, Any]] = json.loads(output_of(PEERS, "-m", "bench.peers"))
    return found
