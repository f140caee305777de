"""Single attributes, tags and lists of contacts; one field of many contacts."""

from collections.abc import Callable
from typing import Any

from ordertrail.actions import contact_groups, contacts
from ordertrail.actions.outcomes import Written
from ordertrail.api.call import Answer, Call
from ordertrail.api.contacts import said_of_contact
from ordertrail.api.person import BOTH
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import Write, answered, simple
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.wire import body, one_field, tags, version1
from ordertrail.wire import contact_actions as wire
from ordertrail.wire import contacts as wire_contacts


def _set_one(call: Call) -> contacts.Change:
    said = one_field.decode(call.body())
    return contacts.Change(call.name(ContactName), said_of_contact(call, said), call.author)


def _set_several(call: Call) -> contacts.Change:
    return contacts.Change(call.name(ContactName), said_of_contact(call, call.body()), call.author)


def _remove(call: Call) -> contacts.Change:
    change = wire.decode_removal(_renamed(call, call.body()))
    return contacts.Change(call.name(ContactName), change, call.author)


def _one_set(call: Call, done: Written[Contact]) -> Answer:
    name = one_field.decode_name(call.body())
    return Answer({"attribute": name, "value": _kept(call, done, name)})


def _several_set(call: Call, done: Written[Contact]) -> Answer:
    return Answer({name: _kept(call, done, name) for name in body.flattened(call.body())})


def _removed(call: Call, _done: Written[Contact]) -> Answer:
    return Answer({"attribute": one_field.decode_name(call.body())})


def _kept(call: Call, done: Written[Contact], name: str) -> Any:
    """A value as the contact has it now, by the name under which it was sent."""
    return wire_contacts.encode(done.thing).get(_today(call, name))


def _today(call: Call, name: str) -> str:
    return wire_contacts.field_name(version1.contact_field(name) if call.version == 1 else name)


def _renamed(call: Call, sent: dict[str, Any]) -> dict[str, Any]:
    """A body that names a field, under the names of version 2."""
    name = sent.get("attribute")
    if call.version > 1 or not isinstance(name, str):
        return sent
    return {**sent, "attribute": version1.contact_field(name)}


def _tag(names: Callable[[dict[str, Any]], tuple[str, ...]], *, is_borne: bool) -> Any:
    def command(call: Call) -> contact_groups.TagContact:
        told = names(call.body())
        return contact_groups.TagContact(
            call.name(ContactName), told, call.author, is_borne=is_borne
        )

    return command


def _place(*, is_on: bool) -> Callable[[Call], contact_groups.ListContact]:
    def command(call: Call) -> contact_groups.ListContact:
        list_id = wire.decode_list(call.body())
        return contact_groups.ListContact(call.name(ContactName), list_id, call.author, is_on=is_on)

    return command


def _one_name(sent: dict[str, Any]) -> tuple[str, ...]:
    return (tags.decode_name(sent),)


def _tag_added(call: Call, done: Written[Contact]) -> Answer:
    name = tags.decode_name(call.body())
    return Answer(tags.encode_added(done.thing.tags, name, done.new_tags))


def _tags_added(done: Written[Contact]) -> Answer:
    return Answer({"tags": tags.encode(done.thing.tags)})


def _tag_removed(call: Call, _done: Written[Contact]) -> Answer:
    return Answer(tags.encode_removed(tags.decode_name(call.body())))


def _placed(call: Call, _done: Written[Contact]) -> Answer:
    return Answer({"id": wire.decode_list(call.body())})


def _change_many(*, standard: bool) -> Callable[[Call], contacts.ChangeMany]:
    def command(call: Call) -> contacts.ChangeMany:
        ids, change = wire.decode_many(_renamed(call, call.body()), standard=standard)
        return contacts.ChangeMany(ids, change, call.author)

    return command


SET_ONE = answered(_set_one, contacts.change, _one_set)
SET_SEVERAL = answered(_set_several, contacts.change, _several_set)
REMOVE = answered(_remove, contacts.change, _removed)
ADD_TAG = answered(_tag(_one_name, is_borne=True), contact_groups.tag, _tag_added)
ADD_TAGS = simple(_tag(tags.decode_names, is_borne=True), contact_groups.tag, _tags_added)
REMOVE_TAG = answered(_tag(_one_name, is_borne=False), contact_groups.tag, _tag_removed)
ADD_TO_LIST = answered(_place(is_on=True), contact_groups.place, _placed)
REMOVE_FROM_LIST = answered(_place(is_on=False), contact_groups.place, _placed)

_ACTIONS: tuple[tuple[str, str, Write, str, Any, Any], ...] = (
    (
        "POST",
        "set_attribute",
        SET_ONE,
        "set one field of a contact",
        one_field.FieldSent,
        one_field.FieldSent,
    ),
    (
        "POST",
        "set_multiple_attributes",
        SET_SEVERAL,
        "set fields of a contact",
        wire_contacts.ContactSent,
        dict[str, Any],
    ),
    *(
        (
            method,
            "remove_attribute",
            REMOVE,
            "clear one field of a contact",
            one_field.AttributeNamed,
            one_field.AttributeNamed,
        )
        for method in ("POST", "DELETE")
    ),
    ("POST", "add_tag", ADD_TAG, "put a tag on a contact", tags.TagNamed, tags.TagAdded),
    ("POST", "add_many_tags", ADD_TAGS, "put tags on a contact", tags.TagsSent, tags.TagsShown),
    *(
        (
            method,
            "remove_tag",
            REMOVE_TAG,
            "take a tag off a contact",
            tags.TagNamed,
            tags.TagRemoved,
        )
        for method in ("POST", "DELETE")
    ),
    (
        "POST",
        "add_to_list",
        ADD_TO_LIST,
        "put a contact on a list",
        wire.ListNamed,
        wire.ListIdShown,
    ),
    *(
        (
            method,
            "remove_from_list",
            REMOVE_FROM_LIST,
            "take a contact off a list",
            wire.ListNamed,
            wire.ListIdShown,
        )
        for method in ("POST", "DELETE")
    ),
)

ROUTES: tuple[Route, ...] = (
    *(
        Route(method, f"{one}/{part}/", does, says, takes, gives)
        for one in BOTH
        for method, part, does, says, takes, gives in _ACTIONS
    ),
    *(
        Route(
            "PUT",
            f"{PUBLIC}/users/mass_update_{kind}_attributes/",
            simple(
                _change_many(standard=kind == "standard"),
                contacts.change_many,
                lambda _done: Answer({"status": "ok"}),
            ),
            f"set one {kind} field of at most {wire.MANY_MAX:,} contacts",
            takes,
            wire.StatusShown,
        )
        for kind, takes in (("standard", wire.ManySent), ("custom", wire.ManyCustomSent))
    ),
)
