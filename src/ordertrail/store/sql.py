"""How a whole batch goes in and out in one step: rows as one JSON text.

These two functions are where the dialects differ; statements are put together from them.
"""


def sent(parameter: str, *columns: str) -> str:
    """Return a row source over the list parameter: each item a list with these columns."""
    picked = ", ".join(f"value->>{place} AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(:{parameter}))"


def rows(columns: str, source: str) -> str:
    """Return a query that yields all rows of a source as one JSON array of arrays."""
    return f"SELECT json_group_array(json_array({columns})) FROM {source}"


def upsert(table: str, key: str, columns: str, parameter: str = "rows") -> str:
    """Return a statement that inserts the sent rows, or replaces those whose key is there."""
    names = columns.split()
    assigned = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key.split())
    return (
        f"{insert(table, columns, parameter)} ON CONFLICT (workspace_id, {', '.join(key.split())})"
        f" DO UPDATE SET {assigned}"
    )


def insert(table: str, columns: str, parameter: str = "rows") -> str:
    """Return a statement that inserts the sent rows into a table of the workspace."""
    names = columns.split()
    listed = ", ".join(names)
    return (
        f"INSERT INTO {table} (workspace_id, {listed})"
        f" SELECT :workspace_id, {listed} FROM {sent(parameter, *names)} WHERE true"
    )
