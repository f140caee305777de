"""The log of API calls that the console shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import requests
from ordertrail.store.requests import Request

__all__ = ["Keep", "Request"]


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of the log is kept: at most so many calls, none older than so much."""

    rows_max: int = 100_000
    age_max: timedelta = timedelta(days=7)

    def append(self, tx: Tx, batch: Batch[Request]) -> Sequence[None]:
        """Write the calls that were answered."""
        requests.append(
            tx,
            batch.workspace_id,
            batch.commands,
            rows_max=self.rows_max,
            age_max=self.age_max,
        )
        return [None] * len(batch.commands)
