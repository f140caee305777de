"""What a row bears and belongs to, as columns beside it: tags, lists, companies."""

from ordertrail.store import sql
from ordertrail.store.filters import Column


def tags_of(subject: str, alias: str) -> str:
    """Return a column of the tags, [id, name] each, of the thing called so in a query."""
    return sql.array(
        "json_array(t.id, t.name)",
        "taggings g JOIN tags t ON t.workspace_id = g.workspace_id AND t.id = g.tag_id"
        f" WHERE g.workspace_id = :workspace_id AND g.subject = '{subject}'"
        f" AND g.subject_id = {alias}.id",
        "t.id",
    )


def bearing(subject: str, alias: str) -> Column:
    """Return the field of the names of tags that the thing called so in a query bears."""
    return Column(
        "t.name",
        within=f"{alias}.id IN (SELECT g.subject_id FROM tags t JOIN taggings g"
        " ON g.workspace_id = t.workspace_id AND g.tag_id = t.id"
        f" WHERE t.workspace_id = :workspace_id AND g.subject = '{subject}' AND {{}})",
    )


LISTS_OF_CONTACT = sql.array(
    "json_array(l.id, l.name)",
    "list_members m JOIN lists l ON l.workspace_id = m.workspace_id AND l.id = m.list_id"
    " WHERE m.workspace_id = :workspace_id AND m.contact_id = c.id",
    "l.id",
)
"""The lists that contact `c` is on: [id, name] each."""

COMPANIES_OF_CONTACT = sql.array(
    "json_array(o.id, o.name, m.created_at)",
    "company_members m JOIN companies o"
    " ON o.workspace_id = m.workspace_id AND o.id = m.company_id"
    " WHERE m.workspace_id = :workspace_id AND m.contact_id = c.id",
    "o.id",
)
"""The companies of contact `c`: [id, name, member since] each."""

MEMBERS_OF_COMPANY = sql.array(
    "m.contact_id",
    "company_members m WHERE m.workspace_id = :workspace_id AND m.company_id = o.id",
    "m.contact_id",
)
"""The ids of the contacts that are members of company `o`."""
