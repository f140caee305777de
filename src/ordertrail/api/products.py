"""Products and product events."""

from dataclasses import replace
from typing import Any

from ordertrail.actions import product_changes, products
from ordertrail.actions.outcomes import Written
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.events import said_of_event
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.product import Product, ProductName
from ordertrail.kit.database import Reader
from ordertrail.wire import filters
from ordertrail.wire import products as wire
from ordertrail.wire.shapes import DeletedShown, page_of


def _event(call: Call) -> products.CreateEvent:
    return _event_of(call, call.name(ProductName), said_of_event(call))


def _event_of_body(call: Call) -> products.CreateEvent:
    sent = said_of_event(call)
    return _event_of(call, wire.named(sent), sent)


def _event_of(call: Call, name: ProductName, sent: dict[str, Any]) -> products.CreateEvent:
    event = wire.decode_event(sent)
    call.warnings += wire.warnings_of_event(sent)
    told = name.custom_id or "", event, call.author, call.operation_key
    return products.CreateEvent(*told, name.id)


def _event_created(done: products.CreatedEvent) -> Answer:
    return Answer({"id": done.id}, 201)


def _upsert(call: Call) -> products.Upsert:
    sent = call.body()
    call.warnings += wire.warnings(sent)
    return products.Upsert(*wire.decode_new(sent), call.author)


def _change(call: Call) -> product_changes.Change:
    sent = call.body()
    call.warnings += wire.warnings(sent)
    return product_changes.Change(call.name(ProductName), *wire.decode_change(sent), call.author)


def _delete(call: Call) -> product_changes.Delete:
    return product_changes.Delete(call.name(ProductName), call.author)


def _deleted(product: Product) -> Answer:
    return Answer({"id": product.id, "deleted": True})


def _upserted(done: Written[Product]) -> Answer:
    return Answer(wire.encode(done.thing), 201 if done.is_new else 200)


CREATE = simple(_upsert, products.upsert, _upserted)
CREATE_EVENT = simple(_event, products.create_events, _event_created, knows_keys=True)
CREATE_EVENT_OF_BODY = simple(
    _event_of_body, products.create_events, _event_created, knows_keys=True
)
CHANGE = simple(_change, product_changes.change, _upserted)
DELETE = simple(_delete, product_changes.delete, _deleted)


async def list_all(call: Call) -> Answer:
    """Answer with a page of the products that the query's filters hold for."""
    queries, place = call.queries(), call.place()
    sought = filters.decode(queries, known=products.FIELDS, dates=products.DATES)
    found = await call.read(lambda r: products.page(r, call.workspace_id, sought, place))
    told = (*call.warnings, *filters.warnings(queries), *found.warnings)
    return replace(paged(call, found.page, wire.encode), warnings=told)


async def read(call: Call) -> Answer:
    """Answer with one product and how many events of each type it has."""

    name = call.name(ProductName)

    def work(reader: Reader) -> tuple[Product, dict[str, int]]:
        product = products.named(reader, call.workspace_id, name)
        return product, products.event_counts(reader, call.workspace_id, product.id)

    product, counts = await call.look(work)
    return Answer({**wire.encode(product), "event_counts": counts})


_ONE = f"{PUBLIC}/products/{{id}}"
_BY_ID = f"{PUBLIC}/products-by-id/{{custom_id}}"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        f"{PUBLIC}/products/",
        CREATE,
        "create or change a product",
        wire.ProductSent,
        wire.ProductShown,
        status=201,
    ),
    Route(
        "GET",
        f"{PUBLIC}/products/",
        list_all,
        "products, newest first, 100 a page; any field filters, as `field__icontains=`",
        gives=page_of(wire.ProductShown),
        queries=("cursor", "name", "custom_id", "category_name", *filters.RANGE_QUERIES),
    ),
    Route(
        "POST",
        f"{PUBLIC}/products/product_event/",
        CREATE_EVENT_OF_BODY,
        "record a product event",
        wire.NamedProductEventSent,
        wire.IdShown,
        status=201,
    ),
    *(
        route
        for one in (_ONE, _BY_ID)
        for route in (
            Route(
                "POST",
                f"{one}/product_event/",
                CREATE_EVENT,
                "record a product event",
                wire.ProductEventSent,
                wire.IdShown,
                status=201,
            ),
            *(
                Route(
                    "GET",
                    path,
                    read,
                    "one product with its event counts",
                    gives=wire.ProductWithCounts,
                )
                for path in (f"{one}/details/", f"{one}/")
            ),
            Route(
                "PUT",
                f"{one}/",
                CHANGE,
                "change a product; what is not sent stays",
                wire.ProductSent,
                wire.ProductShown,
            ),
            Route("DELETE", f"{one}/", DELETE, "delete a product", gives=DeletedShown),
        )
    ),
)
