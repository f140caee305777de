"""How a whole batch goes into the outbox and out of it in one step: rows as one JSON text."""

# ruff: noqa: S608 -- statements are put together from constants of this package

TO = "(SELECT id FROM destinations WHERE key = :destination)"
"""The number of the destination that the statement's parameter names."""


def rows(columns: str, source: str) -> str:
    """Return a query that yields all rows of a source as one JSON array of arrays."""
    return f"SELECT json_group_array(json_array({columns})) FROM {source}"


def sent(columns: str) -> str:
    """Return a row source over the parameter `rows`: each item a list with these columns."""
    picked = ", ".join(f"value->>{place} AS {name}" for place, name in enumerate(columns.split()))
    return f"(SELECT {picked} FROM json_each(:rows))"


def listed(columns: str) -> str:
    """Return the names with commas between them."""
    return ", ".join(columns.split())
