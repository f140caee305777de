"""Tags and lists, and what is in each; segments."""

from collections.abc import Callable
from typing import Any

from ordertrail.actions import groups
from ordertrail.actions.groups import Groups
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call, Handler, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.errors import unknown
from ordertrail.domain.product import Product
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page, Place
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import groups as wire
from ordertrail.wire.companies import CompanyShown
from ordertrail.wire.contacts import ContactShown, ListShown
from ordertrail.wire.deals import DealShown
from ordertrail.wire.products import ProductShown
from ordertrail.wire.products import encode as encode_product
from ordertrail.wire.shapes import DeletedShown, page_of
from ordertrail.wire.tags import TagShown

Listing = Callable[[Reader, int, int, Place], Page[Any]]
Show = Callable[[Call, Snapshot], Callable[[Any], dict[str, Any]]]


def _list_all(kind: Groups[Any]) -> Handler:
    async def handle(call: Call) -> Answer:
        place = call.place()
        found = await call.read(lambda r: kind.page(r, call.workspace_id, place))
        return paged(call, found, wire.encode)

    return handle


def _read(kind: Groups[Any]) -> Handler:
    async def handle(call: Call) -> Answer:
        number = call.path_number("id")
        found = await call.look(lambda r: kind.get(r, call.workspace_id, number))
        return Answer(wire.encode(found))

    return handle


def _removed(group_id: int) -> Answer:
    return Answer({"id": group_id, "deleted": True})


def _create(call: Call) -> groups.Create:
    return groups.Create(wire.decode(call.body()), call.author)


def _rename(call: Call) -> groups.Rename:
    return groups.Rename(call.path_number("id"), wire.decode(call.body()), call.author)


def _remove(call: Call) -> groups.Remove:
    return groups.Remove(call.path_number("id"), call.author)


def _created(done: groups.Created[Any]) -> Answer:
    return Answer(wire.encode(done.group), 201 if done.is_new else 200)


def _in_group(listing: Listing, show: Show) -> Handler:
    async def handle(call: Call) -> Answer:
        number, place = call.path_number("id"), call.place()

        def work(snapshot: Snapshot) -> Answer:
            found = listing(snapshot, call.workspace_id, number, place)
            return paged(call, found, show(call, snapshot))

        return await call.read(work)

    return handle


def _products(_call: Call, _snapshot: Snapshot) -> Callable[[Product], dict[str, Any]]:
    return encode_product


async def list_segments(call: Call) -> Answer:
    """Answer with the segments, of which there are none."""
    call.place()
    return paged(call, Page((), 0, None), wire.encode)


async def no_segment(call: Call) -> Answer:
    """Say that there is no such segment."""
    raise unknown("segment", call.path_number("id"))


def _routes(path: str, kind: Groups[Any], one: str, shape: Any) -> tuple[Route, ...]:
    every, single = f"{PUBLIC}/{path}/", f"{PUBLIC}/{path}/{{id}}/"
    return (
        Route(
            "GET", every, _list_all(kind), f"the {path}", gives=page_of(shape), queries=("cursor",)
        ),
        Route(
            "POST",
            every,
            simple(_create, kind.create, _created),
            f"make a {one}, or find it by its name",
            wire.GroupSent,
            shape,
            status=201,
        ),
        Route("GET", single, _read(kind), f"one {one}", gives=shape),
        Route(
            "PUT",
            single,
            simple(_rename, kind.rename, lambda done: Answer(wire.encode(done))),
            f"rename a {one}",
            wire.GroupSent,
            shape,
        ),
        Route(
            "DELETE",
            single,
            simple(_remove, kind.remove, _removed),
            f"remove a {one}",
            gives=DeletedShown,
        ),
    )


_LISTINGS: tuple[tuple[str, Listing, Show, Any, str], ...] = (
    ("tags/{id}/users", groups.contacts_tagged, shown.contacts, ContactShown, "contacts"),
    ("tags/{id}/companies", groups.companies_tagged, shown.companies, CompanyShown, "companies"),
    ("tags/{id}/deals", groups.deals_tagged, shown.deals, DealShown, "deals"),
    ("tags/{id}/products", groups.products_tagged, _products, ProductShown, "products"),
    ("lists/{id}/users", groups.contacts_listed, shown.contacts, ContactShown, "contacts"),
)

ROUTES: tuple[Route, ...] = (
    *_routes("tags", groups.TAGS, "tag", TagShown),
    *_routes("lists", groups.LISTS, "list", ListShown),
    *(
        Route(
            "GET",
            f"{PUBLIC}/{path}/",
            _in_group(listing, show),
            f"the {things} {'on a list' if path.startswith('lists') else 'that bear a tag'}",
            gives=page_of(shape),
            queries=("cursor",),
        )
        for path, listing, show, shape, things in _LISTINGS
    ),
    Route(
        "GET",
        f"{PUBLIC}/segments/",
        list_segments,
        "the segments",
        gives=page_of(wire.SegmentShown),
        queries=("cursor",),
    ),
    Route("GET", f"{PUBLIC}/segments/{{id}}/", no_segment, "one segment", gives=wire.SegmentShown),
    Route(
        "GET",
        f"{PUBLIC}/segments/{{id}}/users/",
        no_segment,
        "the contacts of a segment",
        gives=page_of(ContactShown),
        queries=("cursor",),
    ),
)
