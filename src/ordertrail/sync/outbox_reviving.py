"""What was parked waits again, and says no more than what still holds."""

from collections.abc import Collection

from ordertrail.kit import json
from ordertrail.sync import outbox_orders
from ordertrail.sync.outbox_operations import WAITS_AGAIN
from ordertrail.sync.outbox_sql import Writing
from ordertrail.sync.plan import parts_of

_PARKED_CONTACTS = (
    "SELECT id, key, body FROM ordertrail_operations"
    " WHERE id @in(ids int) AND kind = 'contact' AND state = 'parked'"
)
_SAY = (
    "UPDATE ordertrail_operations SET body = r.new_body"
    " FROM @rows(number int, new_body text) r WHERE id = r.number"
)
_REVIVE = (
    f"UPDATE ordertrail_operations SET {WAITS_AGAIN} WHERE id @in(ids int) AND state = 'parked'"
)


def revive(sql: Writing, to: int, ids: Collection[int]) -> None:
    """Let parked operations wait again.

    A contact may have been said anew since by another order, whose call is done by now: then each
    field is what was said of it last.
    """
    if not ids:
        return
    parked = sql.fetch(_PARKED_CONTACTS, ids=list(ids))
    found = [(number, parts_of(key), json.loads(body)) for number, key, body in parked]
    latest = outbox_orders.contacts(sql, to, {parts[-2] for _, parts, _ in found}) if found else {}
    anew = []
    for number, (*_, person, change), body in found:
        contact = latest.get(person)
        if contact is not None and int(change) < contact.changes:
            anew.append((number, json.dumps({n: contact.body.get(n, body[n]) for n in body})))
    if anew:
        sql.run(_SAY, anew)
    sql.run(_REVIVE, ids=list(ids))
