"""Trials: work that is done in a transaction and undone before the transaction goes on."""

from collections.abc import Callable
from typing import TypeVar

from ordertrail.kit.database import Tx
from ordertrail.store import ids

T = TypeVar("T")


def undone(tx: Tx, work: Callable[[], T]) -> T:
    """Return what the work returns, and undo all that it wrote; what was there before it stays."""
    tx.run("SAVEPOINT trial")
    try:
        return work()
    finally:
        tx.run("ROLLBACK TO SAVEPOINT trial")
        ids.forget(tx)
        tx.run("RELEASE SAVEPOINT trial")
