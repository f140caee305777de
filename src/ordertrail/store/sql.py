"""How a whole batch goes in and out in one step: rows as one JSON text, out of it and into it.

Statements are put together from these, with the marks of `kit.wording` where databases differ.
"""

from ordertrail.kit.wording import either

_WHOLE = frozenset(
    "id last first_id position quantity price_micros value_minor status key_id at described_at"
    " created_at updated_at won_at lost_at is_new is_inferred allows_many duration_micros"
    " contact_id deal_id product_id pipeline_id stage_id event_type_id first_event_id company_id"
    " list_id tag_id subject_id person_id".split()
)
_JSON = frozenset("profile details attributes data custom_data changes choices warnings".split())


KEY_OF_AUTHOR = "CASE WHEN j.author LIKE 'key:%' THEN CAST(substr(j.author, 5) AS BIGINT) END"
"""The id of the key that wrote the journal's entry `j`, if it was a key."""


def sent(parameter: str, *columns: str) -> str:
    """Return a row source over the list parameter: each item a list with these columns."""
    return f"@rows({parameter}: {', '.join(f'{name} {_type(name)}' for name in columns)})"


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
        f" SELECT :workspace_id, {listed} FROM {sent(parameter, *names)} r"
    )


def json(parameter: str) -> str:
    """Return a parameter that is JSON, where no column tells its type."""
    return either(parameter, f"CAST({parameter} AS json)")


def seconds(text: str) -> str:
    """Return the UNIX seconds of a time that a text says, null where it says none."""
    return either(f"unixepoch({text})", f"moment_micros({text}) / 1000000")


def items(column: str, name: str) -> str:
    """Return a row source of the values of an array in a JSON column; none for anything else."""
    there = f"{column} -> '{name}'"
    array_there = f"CASE WHEN json_typeof({there}) = 'array' THEN {there} END"
    return either(
        f"json_each({column}, '$.{name}')",
        f"(SELECT value FROM json_array_elements_text({array_there}))",
    )


def array(item: str, source: str, order: str) -> str:
    """Return a column with an array of what belongs to a row, in its order; empty for nothing."""
    return f"json((SELECT coalesce(json_group_array({item} ORDER BY {order}), '[]') FROM {source}))"


def _type(column: str) -> str:
    return "int" if column in _WHOLE else "json" if column in _JSON else "text"
