"""Migrations: numbered SQL files, each run once, in one transaction, and remembered."""

import hashlib
from dataclasses import dataclass
from importlib import resources

from ordertrail.kit import clock
from ordertrail.kit.clock import Clock
from ordertrail.kit.database import Database, DatabaseRefused, Dialect, Reader, Tx
from ordertrail.store import sql

_REMEMBER = """
CREATE TABLE IF NOT EXISTS migrations (
    version BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)
"""
_APPLIED = sql.rows("version, checksum", "(SELECT * FROM migrations ORDER BY version) m")
_EXISTS = {
    Dialect.SQLITE: "SELECT name FROM sqlite_schema WHERE name = 'migrations'",
    Dialect.POSTGRES: "SELECT 1 WHERE to_regclass('migrations') IS NOT NULL",
}
_IN_TURN = {
    Dialect.SQLITE: "SELECT 1",
    Dialect.POSTGRES: "SELECT pg_advisory_xact_lock(5127003619)",
}
_ADD = (
    "INSERT INTO migrations (version, name, checksum, applied_at)"
    " VALUES (:version, :name, :checksum, :applied_at)"
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from an older schema to a newer one."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """What tells whether the file is the one that was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def every(dialect: Dialect) -> list[Migration]:
    """Return all migrations of this release for a database, oldest first."""
    folder = resources.files("ordertrail.store") / "schema" / dialect.value
    files = sorted((file for file in folder.iterdir() if file.name[:4].isdigit()), key=str)
    return [Migration(int(f.name[:4]), f.name[5:-4], f.read_text()) for f in files]


def apply(database: Database, now: Clock = clock.utc_now) -> list[Migration]:
    """Bring the database to this release's schema and return the migrations that were run.

    Raises DatabaseRefused when the database is newer than this release, or was made by other
    files of the same numbers; nothing is changed then.
    """
    return database.write(lambda tx: _apply(tx, database.dialect, now))


def pending(database: Database) -> list[Migration]:
    """Return the migrations that have not been run yet; raises DatabaseRefused as `apply` does."""

    def applied(reader: Reader) -> dict[int, str]:
        is_there = reader.fetch(_EXISTS[database.dialect])
        return dict(reader.rows(_APPLIED)) if is_there else {}

    return _pending(every(database.dialect), database.read(applied))


def _apply(tx: Tx, dialect: Dialect, now: Clock) -> list[Migration]:
    tx.fetch(_IN_TURN[dialect])
    tx.run(_REMEMBER)
    pending = _pending(every(dialect), dict(tx.rows(_APPLIED)))
    for migration in pending:
        for statement in _statements(migration.text):
            tx.run(statement)
        tx.run(
            _ADD,
            version=migration.version,
            name=migration.name,
            checksum=migration.checksum,
            applied_at=clock.to_micros(now()),
        )
    return pending


def _pending(migrations: list[Migration], applied: dict[int, str]) -> list[Migration]:
    known = {migration.version: migration for migration in migrations}
    for version, checksum in applied.items():
        if version not in known:
            raise DatabaseRefused(
                f"the database has migration {version}, which this release does not know;"
                " run the release that wrote it, or a newer one"
            )
        if known[version].checksum != checksum:
            raise DatabaseRefused(
                f"migration {version} of the database differs from this release's file"
            )
    return [migration for migration in migrations if migration.version not in applied]


def _statements(text: str) -> list[str]:
    """Return the statements of a file; within `$$` a semicolon ends none."""
    whole: list[str] = [""]
    for place, part in enumerate(text.split("$$")):
        is_quoted = place % 2 == 1
        first, *rest = [f"$${part}$$"] if is_quoted else part.split(";\n")
        whole[-1] += first
        whole += rest
    return [statement for statement in whole if statement.strip()]
