"""`ordertrail keys`: making, listing and revoking API keys."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.table import Table

from ordertrail import app
from ordertrail.actions import keys, workspaces
from ordertrail.actions.keys import Key
from ordertrail.kit import clock, json
from ordertrail.kit.sqlite import Sqlite
from ordertrail.settings import Settings

_TOKEN_BYTES = keys.TOKEN_LENGTH // 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key as a person asks for it."""

    name: str
    scope: str
    rate_limit: int
    networks: list[str]


def create(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """Make a key and print its token, which is not kept."""
    key = keys.new_key(
        workspaces.DEFAULT_ID,
        wanted.name,
        wanted.scope,
        clock.utc_now(),
        rate_limit=wanted.rate_limit,
        networks=wanted.networks,
    )
    token = secrets.token_hex(_TOKEN_BYTES)
    with _database(settings) as database:
        kept = database.write(lambda tx: keys.create(tx, key, token))
    if as_json:
        typer.echo(json.dumps({**_shown(kept), "token": token}))
    else:
        typer.echo(token)
        path = app.database_file(settings.database_url)
        typer.echo(f"A key to {path}; this is the only time the token is shown.", err=True)


def list_all(settings: Settings, as_json: bool) -> None:
    """Print all keys, without their tokens."""
    app.existing_database_file(settings.database_url)
    with _database(settings) as database:
        found = database.read(lambda reader: keys.every(reader, workspaces.DEFAULT_ID))
    if as_json:
        typer.echo(json.dumps([_shown(key) for key in found]))
        return
    table = Table("id", "name", "scope", "rate limit", "addresses", "made", "revoked")
    for key in found:
        table.add_row(
            str(key.id),
            key.name,
            key.scope,
            f"{key.rate_limit}/s" if key.rate_limit else "none",
            ", ".join(key.networks) or "any",
            f"{key.created_at:%Y-%m-%d}",
            f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "",
        )
    Console().print(table)


def revoke(settings: Settings, key_id: int) -> None:
    """Take a key out of use; a running server notices within a second."""
    now = clock.utc_now()
    app.existing_database_file(settings.database_url)
    with _database(settings) as database:
        database.write(lambda tx: keys.revoke(tx, workspaces.DEFAULT_ID, key_id, now))
    typer.echo(f"key {key_id} is revoked")


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Sqlite]:
    database = app.open_database(settings, secrets.token_hex(16))
    try:
        yield database
    finally:
        database.close()


def _shown(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "rate_limit": key.rate_limit,
        "networks": key.networks,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
