"""A fresh platform for one test: a real database file, the real parts, called in process."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import asgi
import postgres_server
from ordertrail import app, opening
from ordertrail.actions import keys, workspaces
from ordertrail.actions.workspaces import Workspace
from ordertrail.kit import clock
from ordertrail.kit.clock import Clock
from ordertrail.kit.database import Reader
from ordertrail.kit.wording import either
from ordertrail.opening import Place
from ordertrail.settings import Settings

ON_POSTGRES = os.environ.get("ORDERTRAIL_TESTS_ON") == "postgresql"


def of_sqlite(reason: str) -> pytest.MarkDecorator:
    """Leave a test out on PostgreSQL."""
    return pytest.mark.skipif(ON_POSTGRES, reason=f"SQLite alone: {reason}")


about_files = of_sqlite("is about its file")

BROKEN = "the disk is upside down"
TABLES = either(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    " AND name <> 'leases'",
    "SELECT CAST(relname AS text) FROM pg_class WHERE relkind IN ('r', 'p')"
    " AND relnamespace = 'public'::regnamespace AND NOT relispartition"
    " AND relname NOT IN ('writers', 'leases')",
)
COLUMNS = either(
    "SELECT name, pk FROM pragma_table_info(:t) ORDER BY cid",
    "SELECT format(CASE atttypid WHEN 'json'::regtype THEN 'CAST(%I AS text)' ELSE '%I' END,"
    " attname), attnum = ANY (indkey::smallint[])"
    " FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary"
    " WHERE attrelid = CAST(:t AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
)
"""The columns of a table, JSON as its text, each with whether it belongs to the primary key."""


@dataclass(frozen=True)
class Served:
    """A running platform: call it with a token, or look into its database."""

    settings: Settings
    running: app.Running
    caller: asgi.Caller
    now: Clock

    @property
    def database(self) -> Place:
        return self.running.database

    def new_token(
        self,
        scope: str = "both",
        *,
        workspace_id: int = 1,
        rate_limit: int = 0,
        networks: Sequence[str] = (),
        expires_at: datetime | None = None,
    ) -> str:
        token = secrets.token_hex(32)
        key = keys.new_key(
            workspace_id,
            "test",
            scope,
            self.now(),
            rate_limit=rate_limit,
            networks=networks,
            expires_at=expires_at,
        )
        self.database.write(lambda tx: keys.create(tx, key, token))
        return token

    def new_workspace(self, workspace_id: int) -> None:
        made = Workspace(workspace_id, f"w{workspace_id}", "Other", "EUR", "UTC", self.now())
        self.database.write(lambda tx: workspaces.create(tx, made))

    def call(
        self, token: str, method: str, target: str, json: Any = None, **more: Any
    ) -> asgi.Reply:
        headers = {"Authorization": f"Token {token}", "Accept": "*/*; version=2"}
        headers |= more.pop("headers", {})
        return self.caller.call(method, target, json=json, headers=headers, **more)

    def do_background_work(self) -> None:
        """Do every piece that is due."""
        working = app.background(self.settings, self.database, self.now)
        while working.do_one():
            pass

    def rows(self, table: str) -> list[list[Any]]:
        """All rows of a table, each as a list, in the order of the primary key."""
        return self.database.read(lambda reader: _rows(reader, table))

    def everything(self) -> dict[str, list[list[Any]]]:
        """All rows of all tables, but for what every call leaves: its line in the log."""

        def read(reader: Reader) -> dict[str, list[list[Any]]]:
            tables = [name for (name,) in reader.fetch(TABLES) if name not in ("requests", "keys")]
            return {name: _rows(reader, name) for name in tables}

        found = self.database.read(read)
        return {name: [row for row in rows if "request" not in row] for name, rows in found.items()}

    def counts(self, *, but: Sequence[str] = ("requests", "sequences")) -> dict[str, int]:
        """How many rows each table has, besides those named."""

        def read(reader: Reader) -> dict[str, int]:
            tables = [name for (name,) in reader.fetch(TABLES) if name not in but]
            counted = [f"SELECT '{name}', count(*) FROM {name}" for name in tables]
            return dict(reader.fetch(" UNION ALL ".join(counted)))

        return self.database.read(read)


def break_deals(platform: Served, custom_id: str) -> None:
    """Let the database itself fail whenever a deal of this id is written."""
    platform.database.write(lambda tx: [tx.run(each) for each in _breaking(custom_id)])


def _breaking(custom_id: str) -> list[str]:
    when = f"ON deals FOR EACH ROW WHEN (new.custom_id = '{custom_id}')"
    if not ON_POSTGRES:
        return [
            f"CREATE TRIGGER broken_{moment} BEFORE {moment} {when}"
            f" BEGIN SELECT raise(ABORT, '{BROKEN}'); END"
            for moment in ("INSERT", "UPDATE")
        ]
    fail = f"{postgres_server.BREAKING}.fail()"
    body = f"$$ BEGIN RAISE '{BROKEN}'; END $$"
    return [
        f"CREATE SCHEMA {postgres_server.BREAKING}",
        f"CREATE FUNCTION {fail} RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER broken BEFORE INSERT OR UPDATE {when} EXECUTE FUNCTION {fail}",
    ]


def _rows(reader: Reader, table: str) -> list[list[Any]]:
    columns = reader.fetch(COLUMNS, t=table)
    listed = ", ".join(name for name, _ in columns)
    key = ", ".join(name for name, place in columns if place)
    return reader.rows(f"SELECT json_group_array(json_array({listed}) ORDER BY {key}) FROM {table}")


@contextlib.contextmanager
def serve(folder: Path, now: Clock = clock.utc_now, **settings: Any) -> Iterator[Served]:
    """A platform on a database file in the folder, started and stopped.

    Background work is left alone, unless it is asked for: tests do it when they want it done.
    """
    with database_url(folder) as url, serve_at(url, now, **settings) as platform:
        yield platform


@contextlib.contextmanager
def serve_at(
    url: str, now: Clock = clock.utc_now, *, is_prepared: bool = True, **settings: Any
) -> Iterator[Served]:
    """A platform on the database at an address, started and stopped."""
    chosen = Settings(database_url=url, **{"background": False, **settings})
    database = opening.at(chosen)
    if is_prepared:
        opening.prepare(database, "test-installation", now)
    running = app.parts(chosen, database, now)
    with asgi.serving(app.create_app(chosen, running, now)) as caller:
        yield Served(chosen, running, caller, now)


@contextlib.contextmanager
def database_url(folder: Path) -> Iterator[str]:
    """The address of a fresh database, of the kind that ORDERTRAIL_TESTS_ON names."""
    if not ON_POSTGRES:
        yield f"sqlite:///{folder}/platform.db"
        return
    with postgres_server.shared().platform() as url:
        yield url


class HandClock:
    """A clock that stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at
