"""What a batch asks first, sent in one go where the way to the database is long."""

from collections.abc import Collection

from ordertrail.kit.database import Asked, Reader
from ordertrail.store import contacts, deals, pipelines, products, workspaces


def of_deals(
    reader: Reader,
    workspace_id: int,
    deal_keys: Collection[str],
    product_keys: Collection[str],
    contact_keys: Collection[str],
) -> None:
    """Send ahead what every batch of deals looks up: things by the shop's ids, and the stages."""
    by_keys: list[Asked] = [
        (query, {"workspace_id": workspace_id, "keys": sorted(keys)})
        for query, keys in (
            (deals.IDS, deal_keys),
            (products.IDS, product_keys),
            (contacts.IDS, contact_keys),
        )
        if keys
    ]
    of_workspace: list[Asked] = [
        (query, {"workspace_id": workspace_id}) for query in (pipelines.STAGES, workspaces.ONE)
    ]
    reader.ahead(*by_keys, *of_workspace)
