"""Write batches of 32 deals in one statement each, by one driver and in one form; told as JSON.

`python rows.py DRIVER FORM ADDRESS SECONDS`: DRIVER is psycopg or asyncpg, FORM is jsonb, json or
arrays. Told are the batches a second, and the processor time of this process for one.
"""

import asyncio
import json
import sys
import time
from typing import Any

import asyncpg
import psycopg

BATCH = 32
COLUMNS = {
    **dict.fromkeys(("id", "contact_id", "pipeline_id", "stage_id", "status"), "bigint"),
    **dict.fromkeys(("value_minor", "won_at", "lost_at", "created_at", "updated_at"), "bigint"),
    **dict.fromkeys(("custom_id", "name", "currency"), "text"),
    **dict.fromkeys(("details", "attributes"), "json"),
}
TABLE = (
    "DROP TABLE IF EXISTS d; CREATE TABLE d (workspace_id bigint,"
    f" {', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())},"
    " PRIMARY KEY (workspace_id, id))"
)
NAMES = ", ".join(COLUMNS)


def statement(form: str) -> str:
    if form == "arrays":
        arrays = (f"${place}::{kind}[]" for place, kind in enumerate(COLUMNS.values(), 1))
        source = f"unnest({', '.join(arrays)}) AS r ({NAMES})"
    else:
        picked = (
            f"(value->>{n})::{kind} AS {name}" for n, (name, kind) in enumerate(COLUMNS.items())
        )
        source = f"(SELECT {', '.join(picked)} FROM {form}_array_elements($1::{form})) r"
    changed = ", ".join(
        f"{name} = excluded.{name}" for name in ("name", "value_minor", "attributes")
    )
    return (
        f"INSERT INTO d (workspace_id, {NAMES}) SELECT 1, {NAMES} FROM {source}"
        f" ON CONFLICT (workspace_id, id) DO UPDATE SET {changed}"
    )


def rows(turn: int) -> list[list[Any]]:
    details = json.dumps({"note": "x" * 40, "assigned_to": 7})
    return [
        [
            *(number, number % 7, 1, 2, 0, 12_345 + turn, None, None, turn, turn),
            *(f"ORD-{number}", f"Order {number}", "EUR", details, details),
        ]
        for number in range(BATCH)
    ]


def parameters(form: str, turn: int) -> list[Any]:
    given = rows(turn)
    return list(map(list, zip(*given, strict=True))) if form == "arrays" else [json.dumps(given)]


def by_psycopg(form: str, address: str, seconds: float) -> int:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(TABLE.encode())
        cursor = psycopg.RawCursor(connection)
        until, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            cursor.execute(statement(form).encode(), parameters(form, done), prepare=True)
            done += 1
    return done


async def by_asyncpg(form: str, address: str, seconds: float) -> int:
    connection = await asyncpg.connect(address)
    await connection.execute(TABLE)
    prepared = await connection.prepare(statement(form))
    until, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        await prepared.fetch(*parameters(form, done))
        done += 1
    await connection.close()
    return done


def main() -> None:
    driver, form, address, seconds = sys.argv[1:]
    started, used = time.perf_counter(), time.process_time()
    if driver == "psycopg":
        done = by_psycopg(form, address, float(seconds))
    else:
        done = asyncio.run(by_asyncpg(form, address, float(seconds)))
    took, spent = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"per_s": BATCH * done / took, "client_us": spent * 1e6 / done / BATCH}))


if __name__ == "__main__":
    main()
