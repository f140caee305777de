"""Companies, and who is a member of each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ordertrail.actions import companies
from ordertrail.actions.outcomes import Written
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import Write, answered, simple
from ordertrail.domain.company import Company, CompanyChange, CompanyName
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import body, filters, naming, one_field, version1
from ordertrail.wire import companies as wire
from ordertrail.wire import tags as wire_tags
from ordertrail.wire.contacts import ContactShown
from ordertrail.wire.shapes import DeletedShown, page_of

BOTH = (f"{PUBLIC}/companies/{{id}}", f"{PUBLIC}/companies-by-id/{{custom_id}}")
"""How a path names a company: by our own id, and by the shop's."""


async def list_all(call: Call) -> Answer:
    """Answer with a page of companies, of all or of those that the filters in the query find."""
    place, asked = call.place(), call.queries()
    named: Callable[[str], str] = version1.company_field if call.version == 1 else str
    sought = filters.decode(asked, known=wire.FIELDS, dates=wire.DATES, named=named)

    def work(snapshot: Snapshot) -> Answer:
        found = companies.page(snapshot, call.workspace_id, sought, place)
        answer = paged(call, found.page, shown.companies(call, snapshot))
        return replace(answer, warnings=(*filters.warnings(asked), *found.warnings))

    return await call.read(work)


async def read(call: Call) -> Answer:
    """Answer with one company."""
    name = call.name(CompanyName)

    def work(snapshot: Snapshot) -> Answer:
        found = companies.named(snapshot, call.workspace_id, name)
        return Answer(shown.companies(call, snapshot)(found))

    return await call.look(work)


async def list_members(call: Call) -> Answer:
    """Answer with a page of a company's members."""
    name, place = call.name(CompanyName), call.place()

    def work(snapshot: Snapshot) -> Answer:
        found = companies.members(snapshot, call.workspace_id, name, place)
        return paged(call, found, shown.contacts(call, snapshot))

    return await call.read(work)


def _said(call: Call, sent: dict[str, Any]) -> CompanyChange:
    """What a body says of a company, in either version; what is odd becomes a warning."""
    said = version1.company_body(sent) if call.version == 1 else body.flattened(sent)
    call.warnings += wire.warnings(said)
    return wire.decode_change(said)


def _upsert(call: Call) -> companies.Upsert:
    return companies.Upsert(_said(call, call.body()), call.author)


def _create(call: Call) -> companies.Create:
    return companies.Create(_said(call, call.body()), call.author)


def _change(call: Call) -> companies.Change:
    return companies.Change(call.name(CompanyName), _said(call, call.body()), call.author)


def _set_one(call: Call) -> companies.Change:
    said = one_field.decode(call.body())
    return companies.Change(call.name(CompanyName), _said(call, said), call.author)


def _remove(call: Call) -> companies.Change:
    sent = call.body()
    name = sent.get("attribute")
    if call.version == 1 and isinstance(name, str):
        sent = {"attribute": version1.company_field(name)}
    return companies.Change(call.name(CompanyName), wire.decode_removal(sent), call.author)


def _tag(call: Call) -> companies.Change:
    change = CompanyChange(tags=(wire_tags.decode_name(call.body()),))
    return companies.Change(call.name(CompanyName), change, call.author)


def _untag(call: Call) -> companies.Untag:
    return companies.Untag(call.name(CompanyName), wire_tags.decode_name(call.body()), call.author)


def _delete(call: Call) -> companies.Delete:
    return companies.Delete(call.name(CompanyName), call.author)


def _member(*, is_member: bool) -> Callable[[Call], companies.Member]:
    def command(call: Call) -> companies.Member:
        contact = naming.read(call.body())
        return companies.Member(call.name(CompanyName), contact, call.author, is_member=is_member)

    return command


def _whole(call: Call, snapshot: Snapshot, done: Written[Company]) -> Answer:
    return Answer(shown.companies(call, snapshot)(done.thing), 201 if done.is_new else 200)


def _upserted(call: Call, snapshot: Snapshot, done: Written[Company]) -> Answer:
    return Answer({**shown.companies(call, snapshot)(done.thing), "created": done.is_new})


def _one_set(call: Call, done: Written[Company]) -> Answer:
    name = one_field.decode_name(call.body())
    return Answer({"attribute": name, "value": _kept(call, done, name)})


def _several_set(call: Call, done: Written[Company]) -> Answer:
    return Answer({name: _kept(call, done, name) for name in body.flattened(call.body())})


def _kept(call: Call, done: Written[Company], name: str) -> Any:
    """A value as the company has it now, by the name under which it was sent."""
    today = version1.company_field(name) if call.version == 1 else name
    return wire.encode(done.thing).get(wire.field_name(today))


def _removed(call: Call, _done: Written[Company]) -> Answer:
    return Answer({"attribute": one_field.decode_name(call.body())})


def _tagged(call: Call, done: Written[Company]) -> Answer:
    name = wire_tags.decode_name(call.body())
    return Answer(wire_tags.encode_added(done.thing.tags, name, done.new_tags))


def _untagged(call: Call, _done: Written[Company]) -> Answer:
    return Answer(wire_tags.encode_removed(wire_tags.decode_name(call.body())))


CREATE = Write(_create, companies.create, _whole)
UPDATE_OR_CREATE = Write(_upsert, companies.upsert, _upserted)
CHANGE = Write(_change, companies.change, _whole)
DELETE = simple(
    _delete, companies.delete, lambda done: Answer({"id": done.thing.id, "deleted": True})
)
JOIN = Write(_member(is_member=True), companies.set_members, _whole)
LEAVE = Write(_member(is_member=False), companies.set_members, _whole)
SET_ONE = answered(_set_one, companies.change, _one_set)
SET_SEVERAL = answered(_change, companies.change, _several_set)
REMOVE = answered(_remove, companies.change, _removed)
ADD_TAG = answered(_tag, companies.change, _tagged)
REMOVE_TAG = answered(_untag, companies.untag, _untagged)

_SAID, _COMPANY = wire.CompanySent, wire.CompanyShown
_FIELD, _NAMED = one_field.FieldSent, one_field.AttributeNamed
_TAG, _TAGGED, _UNTAGGED = wire_tags.TagNamed, wire_tags.TagAdded, wire_tags.TagRemoved
_WHO = naming.ContactNamed

_ACTIONS: tuple[tuple[str, str, Write, str, Any, Any], ...] = (
    ("PUT", "", CHANGE, "change what is sent of a company", _SAID, _COMPANY),
    ("DELETE", "", DELETE, "delete a company; its members stay", None, DeletedShown),
    ("POST", "add_member/", JOIN, "let a contact be a member", _WHO, _COMPANY),
    ("POST", "remove_member/", LEAVE, "let a contact be no member", _WHO, _COMPANY),
    ("DELETE", "remove_member/", LEAVE, "let a contact be no member", _WHO, _COMPANY),
    ("POST", "set_attribute/", SET_ONE, "set one field of a company", _FIELD, _FIELD),
    (
        "POST",
        "set_multiple_attributes/",
        SET_SEVERAL,
        "set fields of a company",
        _SAID,
        dict[str, Any],
    ),
    ("POST", "remove_attribute/", REMOVE, "clear one field of a company", _NAMED, _NAMED),
    ("DELETE", "remove_attribute/", REMOVE, "clear one field of a company", _NAMED, _NAMED),
    ("POST", "add_tag/", ADD_TAG, "put a tag on a company", _TAG, _TAGGED),
    ("POST", "remove_tag/", REMOVE_TAG, "take a tag off a company", _TAG, _UNTAGGED),
    ("DELETE", "remove_tag/", REMOVE_TAG, "take a tag off a company", _TAG, _UNTAGGED),
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PUBLIC}/companies/",
        list_all,
        "companies, newest first; of those that filters find",
        gives=page_of(_COMPANY),
        queries=("cursor", *filters.RANGE_QUERIES),
    ),
    Route("POST", f"{PUBLIC}/companies/", CREATE, "create a company", _SAID, _COMPANY, status=201),
    Route(
        "POST",
        f"{PUBLIC}/companies/update_or_create/",
        UPDATE_OR_CREATE,
        "create or change a company",
        _SAID,
        wire.CompanyUpserted,
    ),
    *(
        route
        for one in BOTH
        for route in (
            Route("GET", f"{one}/", read, "one company", gives=_COMPANY),
            Route(
                "GET",
                f"{one}/members/",
                list_members,
                "the members of a company, newest first",
                gives=page_of(ContactShown),
                queries=("cursor",),
            ),
            *(
                Route(method, f"{one}/{part}", does, says, takes, gives)
                for method, part, does, says, takes, gives in _ACTIONS
            ),
        )
    ),
)
