"""Attributes: which there are, and what they hold."""

from typing import Any

from ordertrail.actions import attributes
from ordertrail.api.call import Answer, Call, Handler, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import answered, simple
from ordertrail.domain.attribute import Attribute, ContentType, standard_name
from ordertrail.wire import attributes as wire
from ordertrail.wire import version1
from ordertrail.wire.shapes import DeletedShown, page_of


def _define(call: Call) -> attributes.Define:
    sent = call.body()
    call.warnings += wire.warnings(sent)
    return attributes.Define(wire.decode(sent), call.author)


def _defined(call: Call, done: attributes.Defined) -> Answer:
    return Answer(_shown(call, done.attribute), 201 if done.is_new else 200)


def _delete(call: Call) -> attributes.Delete:
    return attributes.Delete(call.path_number("id"), call.author)


def _deleted(done: Attribute) -> Answer:
    return Answer({"id": done.id, "deleted": True})


CREATE = answered(_define, attributes.define, _defined)
DELETE = simple(_delete, attributes.delete, _deleted)


async def list_all(call: Call) -> Answer:
    """Answer with a page of definitions."""
    sent, place = call.query("content_type"), call.place()
    kind = None if sent is None else wire.content_type("content_type", sent)
    listed = await call.read(lambda r: attributes.page(r, call.workspace_id, kind, place))
    return paged(call, listed, lambda each: _shown(call, each))


async def read(call: Call) -> Answer:
    """Answer with one definition."""
    number = call.path_number("id")
    found = await call.look(lambda r: attributes.get(r, call.workspace_id, number))
    return Answer(_shown(call, found))


def _type_of(kind: ContentType) -> Handler:
    async def handle(call: Call) -> Answer:
        name = standard_name(call.path_text("name_std"))
        found = await call.look(lambda r: attributes.find(r, call.workspace_id, kind, name))
        return Answer({"value_type": str(found.value_type)})

    return handle


def _shown(call: Call, attribute: Attribute) -> dict[str, Any]:
    shown = wire.encode(attribute)
    return shown if call.version > 1 else version1.attribute(shown)


_KINDS = {
    "users": ContentType.CONTACT,
    "companies": ContentType.COMPANY,
    "deals": ContentType.DEAL,
    "products": ContentType.PRODUCT,
}

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PUBLIC}/attributes/",
        list_all,
        "the attributes of contacts, deals, products, companies",
        gives=page_of(wire.AttributeShown),
        queries=("content_type", "cursor"),
    ),
    Route(
        "POST",
        f"{PUBLIC}/attributes/",
        CREATE,
        "define an attribute",
        wire.AttributeSent,
        wire.AttributeShown,
        status=201,
    ),
    Route(
        "GET",
        f"{PUBLIC}/attributes/{{id}}/",
        read,
        "one attribute",
        gives=wire.AttributeShown,
    ),
    Route(
        "DELETE",
        f"{PUBLIC}/attributes/{{id}}/",
        DELETE,
        "forget the definition of an attribute; values stay",
        gives=DeletedShown,
    ),
    *(
        Route(
            "GET",
            f"{PUBLIC}/attribute-type/{{name_std}}/{path}/",
            _type_of(kind),
            f"the type of an attribute of {path}",
            gives=wire.ValueTypeShown,
        )
        for path, kind in _KINDS.items()
    ),
)
