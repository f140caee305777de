"""Lists of contacts, and looking for them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ordertrail.actions import contact_finding, contacts
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.domain.contact import Contact, ContactName
from ordertrail.domain.errors import Invalid
from ordertrail.domain.filter import Filter
from ordertrail.kit.database import Reader
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import contacts as wire
from ordertrail.wire import filters, version1
from ordertrail.wire.shapes import page_of

_RANGE = ("cursor", *filters.RANGE_QUERIES)
_ONE = {"email": "email", "key": "user_key", "user_key": "user_key", "custom_id": "custom_id"}
_PHONE = {"phone_number", "phone"}


async def list_all(call: Call) -> Answer:
    """Answer with a page of contacts, of all or of those that the filters in the query find."""
    asked = call.queries()
    with_email = filters.flag("with_email", asked.get("with_email"))
    return await _page(call, _filters(call, asked, "with_email"), with_email=with_email)


async def search(call: Call) -> Answer:
    """Answer with the contact that is looked for, or with a page of those that are alike."""
    asked = {name: value for name, value in call.queries().items() if name != "many"}
    names = asked.keys() - {"cursor"}
    [name] = names if len(names) == 1 else [""]
    field = "custom_id" if name == "user_id" and call.version == 1 else _ONE.get(name)
    if field is not None:
        return await _one(call, field, asked[name])
    found = _filters(call, asked)
    if not found and not asked.keys() & _PHONE:
        raise Invalid({"query": "send email, key, phone_number, or a filter such as city__exact"})
    if name in _PHONE and call.version == 1:
        return await _first(call, found)
    return await _page(call, found)


async def _one(call: Call, field: str, value: str) -> Answer:
    # A plus that was not encoded arrives as a blank, which no e-mail has.
    value = value.strip().replace(" ", "+") if field == "email" else value
    is_many = bool(filters.flag("many", call.query("many")))

    def work(snapshot: Snapshot) -> Answer:
        show = shown.contacts(call, snapshot)
        if field != "email":
            return Answer(show(_FINDERS[field](snapshot, call.workspace_id, value)))
        if is_many:
            found = contact_finding.by_email(snapshot, call.workspace_id, value)
            return Answer([show(each) for each in found])
        first = contact_finding.by_email(snapshot, call.workspace_id, value, 1)
        return Answer(show(contact_finding.oldest(first)))

    return await call.read(work)


async def _first(call: Call, sought: tuple[Filter, ...]) -> Answer:
    def work(snapshot: Snapshot) -> Answer:
        found = contact_finding.first(snapshot, call.workspace_id, sought)
        return Answer(shown.contacts(call, snapshot)(found))

    return await call.read(work)


async def _page(
    call: Call, sought: tuple[Filter, ...], *, with_email: bool | None = None
) -> Answer:
    place = call.place()

    def work(snapshot: Snapshot) -> Answer:
        found = contact_finding.page(
            snapshot, call.workspace_id, sought, place, with_email=with_email
        )
        answer = paged(call, found.page, shown.contacts(call, snapshot))
        return replace(answer, warnings=(*filters.warnings(call.queries()), *found.warnings))

    return await call.read(work)


def _filters(call: Call, asked: dict[str, str], *besides: str) -> tuple[Filter, ...]:
    """The filters of a query; an unencoded plus in an e-mail is one here too."""
    named: Callable[[str], str] = version1.contact_field if call.version == 1 else str
    found = filters.decode(asked, known=wire.FIELDS, dates=wire.DATES, besides=besides, named=named)
    return tuple(
        replace(each, value=each.value.strip().replace(" ", "+")) if each.field == "email" else each
        for each in found
    )


_FINDERS: dict[str, Callable[[Reader, int, str], Contact]] = {
    "user_key": contact_finding.by_user_key,
    "custom_id": lambda reader, workspace_id, custom_id: contacts.named(
        reader, workspace_id, ContactName(custom_id=custom_id)
    ),
}

_PAGE = page_of(wire.ContactShown)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PUBLIC}/users/",
        list_all,
        "contacts, newest first; of those that filters find",
        gives=_PAGE,
        queries=(*_RANGE, "with_email"),
    ),
    *(
        Route(
            "GET",
            f"{PUBLIC}/{users}/search/",
            search,
            "one contact by email, key, phone_number or id; or those that filters find",
            gives=Any,
            queries=(*_RANGE, *more),
        )
        for users, more in (
            ("users", ("email", "many", "key", "phone_number")),
            ("users-by-id", ("user_id",)),
        )
    ),
)
