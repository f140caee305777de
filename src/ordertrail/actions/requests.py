"""The log of API calls that the console shows."""

from collections.abc import Sequence

from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import requests
from ordertrail.store.requests import Request

__all__ = ["Request", "append"]


def append(tx: Tx, batch: Batch[Request]) -> Sequence[None]:
    """Write the calls that were answered."""
    requests.append(tx, batch.workspace_id, batch.commands)
    return [None] * len(batch.commands)
