"""How a whole batch goes in and out in one step: rows as one JSON text.

These functions are where the dialects differ; statements are put together from them. SQLite takes
a workspace for small while it has no statistics, and would go through all of its rows: where it
does, INDEXED BY tells it the index.
"""


def sent(parameter: str, *columns: str) -> str:
    """Return a row source over the list parameter: each item a list with these columns."""
    picked = ", ".join(f"value->>{place} AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(:{parameter}))"


def rows(columns: str, source: str) -> str:
    """Return a query that yields all rows of a source as one JSON array of arrays."""
    return f"SELECT json_group_array(json_array({columns})) FROM {source}"


def update(table: str, columns: str, changed: str) -> str:
    """Return a statement that takes whole rows, and sets the changed columns of those there.

    An index is rewritten when one of its columns is set, even to the same value: name only
    columns that change.
    """
    assigned = ", ".join(f"{name} = excluded.{name}" for name in changed.split())
    return (
        f"{insert(table, columns)} WHERE true"
        f" ON CONFLICT (workspace_id, id) DO UPDATE SET {assigned}"
    )


def insert(table: str, columns: str, parameter: str = "rows") -> str:
    """Return a statement that inserts the sent rows into a table of the workspace."""
    names = columns.split()
    listed = ", ".join(names)
    return (
        f"INSERT INTO {table} (workspace_id, {listed})"
        f" SELECT :workspace_id, {listed} FROM {sent(parameter, *names)}"
    )
