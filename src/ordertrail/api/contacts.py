"""Contacts, which the API calls users."""

import secrets
from dataclasses import replace
from typing import Any

from ordertrail.actions import contact_merges, contacts
from ordertrail.actions.outcomes import Written
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call
from ordertrail.api.person import BOTH, found
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import Write, simple
from ordertrail.domain.contact import Contact, ContactChange, ContactName
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import body, version1
from ordertrail.wire import contact_actions as wire_actions
from ordertrail.wire import contacts as wire
from ordertrail.wire.shapes import DeletedShown

_USER_KEY_BYTES = 9


def said_of_contact(call: Call, sent: dict[str, Any]) -> ContactChange:
    """Return what a body says of a contact, in either version; what is odd becomes a warning."""
    if call.version == 1:
        sent = version1.contact_body(sent)
    else:
        sent = body.flattened(sent)
        if sent.get("user_id") is not None and sent.get("custom_id") is not None:
            sent = {name: value for name, value in sent.items() if name != "user_id"}
            call.warnings.append("user_id: ignored: custom_id is its name in version 2")
    call.warnings += wire.warnings(sent)
    return wire.decode_change(sent)


def new_user_key() -> str:
    """Return a key for a contact whose browser is not known."""
    return secrets.token_urlsafe(_USER_KEY_BYTES)


def whole(call: Call, snapshot: Snapshot, done: Written[Contact]) -> Answer:
    """Answer with all of the contact that was written."""
    return Answer(shown.contacts(call, snapshot)(done.thing), 201 if done.is_new else 200)


def whole_plainly(call: Call, done: Written[Contact]) -> Answer | None:
    """Answer so, where nothing has to be read for it."""
    if call.version == 1:
        return None
    return Answer(wire.encode(done.thing), 201 if done.is_new else 200)


def _upsert(call: Call) -> contacts.Upsert:
    return contacts.Upsert(said_of_contact(call, call.body()), call.author, new_user_key())


def imported(call: Call) -> contacts.Upsert:
    """Return what a row of an import says: an upsert that a user key may name."""
    return replace(_upsert(call), is_keyed=True)


def _create(call: Call) -> contacts.Create:
    return contacts.Create(said_of_contact(call, call.body()), call.author, new_user_key())


def _change(call: Call) -> contacts.Change:
    return contacts.Change(call.name(ContactName), said_of_contact(call, call.body()), call.author)


def _delete(call: Call) -> contact_merges.Delete:
    return contact_merges.Delete(call.name(ContactName), call.author)


def _merge(call: Call) -> contact_merges.Merge:
    return contact_merges.Merge(*wire_actions.decode_merge(call.body()), call.author)


def _upserted(done: Written[Contact]) -> Answer:
    return Answer({"created": done.is_new, "id": done.thing.id})


def _deleted(done: contact_merges.Deleted) -> Answer:
    return Answer({"id": done.id, "deleted": True})


UPDATE_OR_CREATE = simple(_upsert, contacts.upsert, _upserted)
CREATE = Write(_create, contacts.create, whole, whole_plainly)
CHANGE = Write(_change, contacts.change, whole, whole_plainly)
DELETE = simple(_delete, contact_merges.delete, _deleted)
MERGE = simple(_merge, contact_merges.merge, lambda _done: Answer({"success": True}))


async def read(call: Call) -> Answer:
    """Answer with one contact."""
    return Answer(await call.look(lambda r: shown.contacts(call, r)(found(r, call))))


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        f"{PUBLIC}/users/update_or_create/",
        UPDATE_OR_CREATE,
        "create or change a contact",
        wire.ContactSent,
        wire.UpsertedShown,
    ),
    Route(
        "POST",
        f"{PUBLIC}/users/",
        CREATE,
        "create a contact",
        wire.ContactSent,
        wire.ContactShown,
        status=201,
    ),
    Route(
        "POST",
        f"{PUBLIC}/users/merge/",
        MERGE,
        "let contacts that are one person become one",
        wire_actions.MergeSent,
        wire_actions.MergedShown,
    ),
    *(
        route
        for one in BOTH
        for route in (
            Route("GET", f"{one}/", read, "one contact", gives=wire.ContactShown),
            Route(
                "PUT",
                f"{one}/",
                CHANGE,
                "change what is sent of a contact",
                wire.ContactSent,
                wire.ContactShown,
            ),
            Route(
                "DELETE",
                f"{one}/",
                DELETE,
                "delete a contact with all that it did; its deals stay",
                gives=DeletedShown,
            ),
        )
    ),
)
