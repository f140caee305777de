"""The outbox's tables: made where there are none, refused where they are not as expected."""

from importlib import resources

from ordertrail.kit.database import DatabaseRefused, Dialect, Tx
from ordertrail.sync.outbox_sql import Reading, Writing

FORM = 2
"""The number of the tables' form, kept beside them; a newer one is refused."""

_LOCK = "SELECT pg_advisory_xact_lock(7307003542)"
_HERE = {
    Dialect.SQLITE: "SELECT count(*) FROM sqlite_schema WHERE name = 'ordertrail_outbox'",
    Dialect.POSTGRES: "SELECT count(to_regclass('ordertrail_outbox'))",
}
_FORM = "SELECT max(form) FROM ordertrail_outbox"
_FORMER = (
    "SELECT (SELECT user_version FROM pragma_user_version),"
    " (SELECT count(*) FROM sqlite_schema),"
    " (SELECT count(*) FROM sqlite_schema WHERE name IN ('operations', 'snapshots', 'quarantine'))"
)
_FORMER_TABLES = 3


def is_there(sql: Reading, where: str) -> bool:
    """Tell whether the tables are there; raises DatabaseRefused for those of another form."""
    ((is_here,),) = sql.fetch(_HERE[sql.dialect])
    if is_here:
        _check_form(sql, where)
    return bool(is_here)


def prepare(tx: Tx, dialect: Dialect, *, is_ours: bool, where: str) -> None:
    """Make the tables if there are none; raises DatabaseRefused for what is no outbox of ours.

    A file that `is_ours` alone holds an outbox and nothing else; elsewhere the tables stand next
    to those of others.
    """
    sql = Writing(tx, dialect)
    if dialect is Dialect.POSTGRES:
        sql.fetch(_LOCK)
    if is_there(sql, where):
        return
    if is_ours:
        _check_empty(sql, where)
    script = resources.files("ordertrail.sync") / f"outbox_tables_{dialect}.sql"
    for statement in script.read_text().split(";\n"):
        if statement.strip():
            tx.run(statement)


def _check_form(sql: Reading, where: str) -> None:
    ((form,),) = sql.fetch(_FORM)
    if form != FORM:
        raise DatabaseRefused(
            f"{where} holds an outbox of form {form}, and this release knows form {FORM}:"
            " use the release that wrote it, or a newer one"
        )


def _check_empty(sql: Writing, where: str) -> None:
    ((version, tables, former),) = sql.fetch(_FORMER)
    if version == 1 and former == _FORMER_TABLES:
        raise DatabaseRefused(
            f"{where} is an outbox of form 1, which a pre-release wrote: move the file away, and"
            " sync the shop's orders again into a new one; what was delivered stays as it is"
        )
    if version or tables:
        raise DatabaseRefused(
            f"{where} is a database of something else and no outbox: name another file"
        )
