"""What a contact has and did, as it becomes another's, and as it goes."""

from collections.abc import Mapping
from datetime import datetime

from ordertrail.domain.journal import Author
from ordertrail.kit import clock
from ordertrail.kit.database import Tx
from ordertrail.store import sql
from ordertrail.store.ids import take

_THESE = "@in(ids int)"
_OF_CONTACTS = "WHERE workspace_id = :workspace_id AND contact_id"


def _moving(table: str) -> str:
    """Rows of a table that only say whose they are."""
    return f"UPDATE {table} @by({table}_contact) SET contact_id = :parent {_OF_CONTACTS} {_THESE}"


_FLATTEN = (
    "UPDATE contacts @by(contacts_merged) SET merged_into = :parent"
    f" WHERE workspace_id = :workspace_id AND merged_into {_THESE}"
)
_LEAD = (
    f"UPDATE contacts SET merged_into = :parent WHERE workspace_id = :workspace_id AND id {_THESE}"
)
_MOVE_EVENTS = _moving("events")
_MOVE_PRODUCT_EVENTS = _moving("product_events")
_MOVE_DEALS = _moving("deals")
_MOVE_JOURNAL = _moving("journal")
_JOIN_TAGS = (
    "INSERT INTO taggings (workspace_id, subject, subject_id, tag_id)"
    " SELECT workspace_id, subject, :parent, tag_id FROM taggings"
    f" WHERE workspace_id = :workspace_id AND subject = 'contact' AND subject_id {_THESE}"
    " ON CONFLICT DO NOTHING"
)
_JOIN_LISTS = (
    "INSERT INTO list_members (workspace_id, list_id, contact_id)"
    " SELECT workspace_id, list_id, :parent"
    f" FROM list_members @by(list_members_contact) {_OF_CONTACTS} {_THESE}"
    " ON CONFLICT DO NOTHING"
)
_JOIN_COMPANIES = (
    "INSERT INTO company_members (workspace_id, company_id, contact_id, created_at)"
    " SELECT workspace_id, company_id, :parent, created_at"
    f" FROM company_members @by(company_members_contact) {_OF_CONTACTS} {_THESE}"
    " ON CONFLICT DO NOTHING"
)
_DROP_TAGS = (
    "DELETE FROM taggings WHERE workspace_id = :workspace_id AND subject = 'contact'"
    f" AND subject_id {_THESE}"
)
_DROP_LISTS = f"DELETE FROM list_members @by(list_members_contact) {_OF_CONTACTS} {_THESE}"
_DROP_COMPANIES = (
    f"DELETE FROM company_members @by(company_members_contact) {_OF_CONTACTS} {_THESE}"
)
_DELETE_EVENTS = f"DELETE FROM events @by(events_contact) {_OF_CONTACTS} {_THESE}"
_DELETE_PRODUCT_EVENTS = (
    f"DELETE FROM product_events @by(product_events_contact) {_OF_CONTACTS} {_THESE}"
)
_FORGET_OWNER = (
    "UPDATE journal @by(journal_contact) SET contact_id = NULL"
    f" {_OF_CONTACTS} {_THESE} AND subject <> 'contact'"
)
_UNLINK_DEALS = (
    "UPDATE deals @by(deals_contact) SET contact_id = NULL, updated_at = :at"
    f" {_OF_CONTACTS} {_THESE}"
)
_BLANK = (
    "UPDATE journal @by(journal_subject) SET changes ="
    " (SELECT coalesce(json_group_object(e.key, json_array(NULL, NULL)), '{}')"
    " FROM json_each(changes) e)"
    f" WHERE workspace_id = :workspace_id AND subject = 'contact' AND subject_id {_THESE}"
)
_DELETE = f"DELETE FROM contacts WHERE workspace_id = :workspace_id AND id {_THESE}"
_MEMBERS_OF = sql.rows(
    "c.id, c.merged_into",
    "@list(ids int) j CROSS JOIN contacts c"
    " WHERE c.workspace_id = :workspace_id AND c.merged_into = j.value",
)
_COUNT_DEALS = (
    "SELECT count(*) FROM @list(ids int) j CROSS JOIN deals d"
    " WHERE d.workspace_id = :workspace_id AND d.contact_id = j.value"
)
# As many as a contact has: their entries are made where they are written.
_TELL_OF_DEALS = (
    "INSERT INTO journal (workspace_id, id, at, subject, subject_id, is_new, changes, author,"
    " origin) SELECT :workspace_id, :first + row_number() OVER () - 1, :at, 'deal', d.id, 0,"
    " json_object('user_id', json_array(d.contact_id, NULL)), p.author, p.origin"
    f" FROM {sql.sent('people', 'id', 'author', 'origin')} p CROSS JOIN deals d"
    " WHERE d.workspace_id = :workspace_id AND d.contact_id = p.id"
)
_COUNT_MEMBERSHIPS = (
    "SELECT count(*) FROM @list(ids int) j CROSS JOIN company_members m"
    " @by(company_members_contact)"
    " WHERE m.workspace_id = :workspace_id AND m.contact_id = j.value"
)
_TELL_OF_COMPANIES = (
    "INSERT INTO journal (workspace_id, id, at, subject, subject_id, is_new, changes, author,"
    " origin) SELECT :workspace_id, :first + row_number() OVER () - 1, :at, 'company',"
    " m.company_id, 0, json_object('employees', json_array(m.contact_id, CAST(:parent AS BIGINT))),"
    " p.author, p.origin"
    f" FROM {sql.sent('people', 'id', 'author', 'origin')} p CROSS JOIN company_members m"
    " @by(company_members_contact)"
    " WHERE m.workspace_id = :workspace_id AND m.contact_id = p.id"
)
_MERGING = (
    _FLATTEN,
    _LEAD,
    _MOVE_EVENTS,
    _MOVE_PRODUCT_EVENTS,
    _MOVE_DEALS,
    _MOVE_JOURNAL,
    _JOIN_TAGS,
    _JOIN_LISTS,
    _JOIN_COMPANIES,
    _DROP_TAGS,
    _DROP_LISTS,
    _DROP_COMPANIES,
)
_DELETING = (
    _DROP_TAGS,
    _DROP_LISTS,
    _DROP_COMPANIES,
    _DELETE_EVENTS,
    _DELETE_PRODUCT_EVENTS,
    _FORGET_OWNER,
    _BLANK,
    _DELETE,
)


def merge(tx: Tx, workspace_id: int, parent: int, led: Mapping[int, Author], at: datetime) -> None:
    """Let all that belongs to contacts become the parent's; `led` tells who merges whom.

    Their rows stay, and lead there; so do those that led to them before. The journal says of each
    company that it has another member.
    """
    ids = list(led)
    statements = _COUNT_MEMBERSHIPS, _TELL_OF_COMPANIES
    _tell(tx, workspace_id, statements, led, at, parent=parent)
    for statement in _MERGING:
        tx.run(statement, workspace_id=workspace_id, parent=parent, ids=ids)


def delete(tx: Tx, workspace_id: int, gone: Mapping[int, Author], at: datetime) -> None:
    """Delete contacts with all that they did; their deals stay, and the journal says of each.

    `gone` tells who deletes whom. What the journal says of the contacts keeps the names of the
    fields alone.
    """
    if not gone:
        return
    ids = list(gone)
    _tell(tx, workspace_id, (_COUNT_DEALS, _TELL_OF_DEALS), gone, at)
    _tell(tx, workspace_id, (_COUNT_MEMBERSHIPS, _TELL_OF_COMPANIES), gone, at, parent=None)
    ids += [each for each, _ in tx.rows(_MEMBERS_OF, workspace_id=workspace_id, ids=ids)]
    tx.run(_UNLINK_DEALS, workspace_id=workspace_id, ids=ids, at=clock.to_micros(at))
    for statement in _DELETING:
        tx.run(statement, workspace_id=workspace_id, ids=ids)


def _tell(
    tx: Tx,
    workspace_id: int,
    statements: tuple[str, str],
    gone: Mapping[int, Author],
    at: datetime,
    **more: int | None,
) -> None:
    """Write the entries of what belonged to contacts: one statement counts it, the other tells."""
    counting, telling = statements
    [(count,)] = tx.fetch(counting, workspace_id=workspace_id, ids=list(gone))
    first = next(take(tx, workspace_id, journal=count)["journal"], None)
    if first is not None:
        tx.run(
            telling,
            workspace_id=workspace_id,
            first=first,
            at=clock.to_micros(at),
            **more,
            people=[[each, author.name, str(author.origin)] for each, author in gone.items()],
        )
