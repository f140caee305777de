"""`ordertrail keys`: making, listing, rotating and revoking API keys."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import typer
from rich.table import Column, Table

from ordertrail import opening
from ordertrail.actions import keys, workspaces
from ordertrail.actions.keys import Key
from ordertrail.commands import moments, place, tables
from ordertrail.kit import clock, json
from ordertrail.settings import Settings

_TOKEN_BYTES = keys.TOKEN_LENGTH // 2
_COLUMNS = ("id", "name", "scope", "rate", "addresses", "made", "last used", "ends")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key as a person asks for it."""

    name: str
    scope: str
    rate_limit: int
    networks: list[str]
    expires: str | None


@dataclass(frozen=True, slots=True)
class Followed:
    """A key that a new one is to follow, as a person asks for it."""

    key_id: int
    overlap: str
    expires: str | None


def create(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """Make a key and print its token, which is not kept."""
    now = clock.utc_now()
    key = keys.new_key(
        workspaces.DEFAULT_ID,
        wanted.name,
        wanted.scope,
        now,
        rate_limit=wanted.rate_limit,
        networks=wanted.networks,
        expires_at=_expiry(wanted.expires, now),
    )
    token = secrets.token_hex(_TOKEN_BYTES)
    with place.made(settings) as database:
        kept = database.write(lambda tx: keys.create(tx, key, token))
    if as_json:
        typer.echo(json.dumps({**_shown(kept), "token": token}))
    else:
        typer.echo(token)
        where = opening.named(settings)
        typer.echo(f"A key to {where}; this is the only time the token is shown.", err=True)


def rotate(settings: Settings, followed: Followed, as_json: bool) -> None:
    """Make a key like another one and print its token; the other one works for the overlap."""
    now = clock.utc_now()
    asked = keys.Rotation(
        followed.key_id,
        secrets.token_hex(_TOKEN_BYTES),
        moments.span("overlap", followed.overlap),
        _expiry(followed.expires, now),
    )
    with place.existing(settings) as database:
        old, new = database.write(lambda tx: keys.rotate(tx, workspaces.DEFAULT_ID, asked, now))
    if as_json:
        typer.echo(json.dumps({**_shown(new), "token": asked.token, "old": _shown(old)}))
        return
    typer.echo(asked.token)
    typer.echo(
        f"Key {new.id} follows key {old.id}. Ends, in UTC: key {old.id} {_end(old, now)}, key"
        f" {new.id} {_end(new, now)}. This is the only time the token is shown.",
        err=True,
    )


def list_all(settings: Settings, as_json: bool) -> None:
    """Print all keys, without their tokens."""
    with place.existing(settings) as database:
        found = database.read(lambda reader: keys.every(reader, workspaces.DEFAULT_ID))
    if as_json:
        typer.echo(json.dumps([_shown(key) for key in found]))
        return
    now = clock.utc_now()
    columns = (Column(each, overflow="fold") for each in _COLUMNS)
    table = Table(*columns, box=None, pad_edge=False)
    for key in found:
        table.add_row(
            str(key.id),
            key.name,
            key.scope,
            f"{key.rate_limit}/s" if key.rate_limit else "none",
            ", ".join(key.networks) or "any",
            f"{key.created_at:%Y-%m-%d}",
            _minute(key.last_used_at) if key.last_used_at else "never",
            _end(key, now),
        )
    tables.show(table)


def revoke(settings: Settings, key_id: int, as_json: bool) -> None:
    """Take a key out of use; a running server notices within a second."""
    now = clock.utc_now()
    with place.existing(settings) as database:
        key = database.write(lambda tx: keys.revoke(tx, workspaces.DEFAULT_ID, key_id, now))
    typer.echo(json.dumps(_shown(key)) if as_json else f"key {key_id} is revoked")


def _expiry(text: str | None, now: datetime) -> datetime | None:
    return None if text is None else moments.moment("expires", text, now)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _end(key: Key, now: datetime) -> str:
    """Say how it stands with the end of a key, in UTC."""
    if key.revoked_at is not None:
        return f"revoked {_minute(key.revoked_at)}"
    if key.expires_at is None:
        return "never"
    return f"{'expired' if key.is_expired(now) else 'expires'} {_minute(key.expires_at)}"


def _shown(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "rate_limit": key.rate_limit,
        "networks": key.networks,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
