"""The tables spread over the nodes of Citus, by workspace: what is one tenant's lies on one node.

A table is distributed by the workspace when all that is unique in it begins with the workspace.
Where something is unique across workspaces, because it tells which workspace is meant, the table
is small and read at each call: it is kept everywhere. What is about the installation stays where
it is. Decision 23 has the reasons.
"""

from collections.abc import Iterator

from ordertrail.domain.errors import Invalid
from ordertrail.kit.database import Reader, Tx

EVERYWHERE = ("keys", "people")
"""Each key's hash and each e-mail is there once in the installation."""

LOCAL = ("migrations", "leases")
"""The schema, and background work, whose times are those of one clock."""

DISTRIBUTED = (
    "sequences", "writers", "sign_in_links", "sessions", "attributes", "pipelines", "stages",
    "contacts", "products", "deals", "order_products", "deal_products", "product_events",
    "event_types", "events", "journal", "requests", "tags", "taggings", "lists", "list_members",
    "companies", "company_members", "answers",
)  # fmt: skip
"""In an order in which a table comes after those that it refers to."""

_EXTENSION = "SELECT 1 FROM pg_extension WHERE extname = 'citus'"
_UNBOUND = (*EVERYWHERE, "leases")


def statements() -> Iterator[str]:
    """Yield what is said to Citus, in order.

    Nothing that is not distributed may refer to a table that is: those foreign keys go first.
    """
    for table in _UNBOUND:
        yield f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_workspace_id_fkey"
    yield "SELECT create_distributed_table('workspaces', 'id')"
    for table in EVERYWHERE:
        yield f"SELECT create_reference_table('{table}')"
    for table in DISTRIBUTED:
        yield (
            f"SELECT create_distributed_table('{table}', 'workspace_id',"
            " colocate_with => 'workspaces')"
        )
    yield "SELECT create_distributed_function('moment_micros(text)')"


def see_that_it_is_there(reader: Reader) -> None:
    """Raise Invalid where the database has no Citus."""
    if not reader.fetch(_EXTENSION):
        advice = "needs Citus: install it on every node, and CREATE EXTENSION citus"
        raise Invalid({"distribute": advice})


def distribute(tx: Tx) -> list[str]:
    """Distribute every table, unless that was done, and return what was said to do so.

    Raises Invalid where Citus is not there.
    """
    see_that_it_is_there(tx)
    spread = "FROM pg_dist_partition WHERE logicalrel = CAST('workspaces' AS regclass)"
    if tx.fetch(f"SELECT 1 {spread}"):
        return []
    said = list(statements())
    for statement in said:
        tx.run(statement)
    return said
