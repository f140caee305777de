"""`ordertrail doctor`: what this installation is, and whether it can work."""

import contextlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import typer

from ordertrail import opening
from ordertrail.kit import clock
from ordertrail.kit.database import Dialect, QueryTooSlow
from ordertrail.kit.sqlite import Sqlite
from ordertrail.opening import Place
from ordertrail.settings import Settings, is_secret, without_password
from ordertrail.store import inspection, migrations
from ordertrail.store.inspection import Indexes, Parts
from ordertrail.version import VERSION

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


@dataclass(frozen=True, slots=True)
class State:
    """A database as it is; parts of it are None or empty where there is nothing to tell.

    `sizes` are bytes by table, indexes included.
    """

    summary: str
    indexes: Indexes | None = None
    partitions: Parts | None = None
    sizes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """All that there is to tell, secrets hidden."""

    version: str
    python: str
    settings: dict[str, str]
    database: State


def run(settings: Settings, *, as_json: bool = False) -> None:
    """Print version, settings and the state of the database."""
    shown = {f"ORDERTRAIL_{name.upper()}": _shown(settings, name) for name in Settings.model_fields}
    told = Told(VERSION, platform.python_version(), shown, _state(settings))
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    typer.echo(f"ordertrail {told.version} on Python {told.python}\n")
    for name, value in Settings.model_fields.items():
        setting = f"ORDERTRAIL_{name.upper()}"
        typer.echo(f"{setting} = {shown[setting]}\n    {value.description}")
    typer.echo(f"\ndatabase: {told.database.summary}")
    for line in _lines(told.database):
        typer.echo(f"  {line}")


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if is_secret(name):
        return "set" if value else "not set"
    return without_password(str(value))


def _state(settings: Settings) -> State:
    database = opening.at(settings)
    if isinstance(database, Sqlite) and not database.path.exists():
        return State(f"{database.path} is not there yet; `ordertrail serve` makes it")
    with contextlib.closing(database):
        pending = migrations.pending(database)
        if pending:
            return State(f"{len(pending)} migrations to run: ordertrail migrate")
        return _inspected(database)


def _inspected(database: Place) -> State:
    dialect, now = database.dialect, clock.utc_now()
    with contextlib.suppress(QueryTooSlow):
        return State(
            "up to date",
            database.read(lambda reader: inspection.indexes(reader, dialect)),
            database.read(lambda reader: inspection.parts(reader, now))
            if dialect is Dialect.POSTGRES
            else None,
            database.read(inspection.sizes),
        )
    return State("up to date; it is too large, or too busy, for a look at its tables")


def _lines(state: State) -> Iterator[str]:
    if state.indexes is not None:
        yield from _about_indexes(state.indexes)
    if state.partitions is not None:
        yield from _about_partitions(state.partitions)
    for table, size in state.sizes.items():
        yield f"{table}: {_in_units(size)} with its indexes"


def _about_indexes(indexes: Indexes) -> Iterator[str]:
    for name in indexes.missing:
        yield f"index {name} is missing: look-ups go through whole tables; make it again"
    since = f"since {indexes.since:%Y-%m-%d %H:%M} UTC" if indexes.since else "so far"
    for name in indexes.unused:
        yield f"index {name} was used by no query {since}"


def _about_partitions(parts: Parts) -> Iterator[str]:
    for name in parts.missing:
        yield f"partition {name} is missing: see that `ordertrail work` or a server runs"
    for table, rows in parts.in_net.items():
        if rows:
            about = (
                f"{rows} rows or more" if rows == inspection.ROWS_COUNTED_MAX else f"{rows} rows"
            )
            yield f"{table}_net holds {about}: no partition was there for their time; all are found"
    if parts.lacks_locks:
        yield "the journal has many partitions: set max_locks_per_transaction = 256 in PostgreSQL"


def _in_units(size: float) -> str:
    for unit in _UNITS:
        if size < _STEP or unit == _UNITS[-1]:
            break
        size /= _STEP
    return f"{size:.0f} {unit}" if unit == _UNITS[0] else f"{size:.1f} {unit}"
