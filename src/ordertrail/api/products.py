"""Products and product events."""

from ordertrail.actions import products
from ordertrail.api.call import Answer, Call
from ordertrail.api.events import said_of_event
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import simple
from ordertrail.domain.product import Product
from ordertrail.kit.database import Reader
from ordertrail.wire import products as wire


def _event(call: Call) -> products.CreateEvent:
    custom_id = call.path_text("custom_id")
    return products.CreateEvent(
        custom_id, wire.decode_event(said_of_event(call)), call.author, call.operation_key
    )


def _event_created(done: products.CreatedEvent) -> Answer:
    return Answer({"id": done.id}, 201)


def _upsert(call: Call) -> products.Upsert:
    sent = call.body()
    call.warnings += wire.warnings(sent)
    return products.Upsert(*wire.decode_change(sent), call.author)


def _upserted(done: products.Upserted) -> Answer:
    return Answer(wire.encode(done.product), 201 if done.is_new else 200)


CREATE = simple(_upsert, products.upsert, _upserted)
CREATE_EVENT = simple(_event, products.create_events, _event_created, knows_keys=True)


async def read(call: Call) -> Answer:
    """Answer with one product and how many events of each type it has."""

    def work(reader: Reader) -> tuple[Product, dict[str, int]]:
        product = products.find(reader, call.workspace_id, call.path_text("custom_id"))
        return product, products.event_counts(reader, call.workspace_id, product.id)

    product, counts = await call.look(work)
    return Answer({**wire.encode(product), "event_counts": counts})


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
        "POST",
        f"{_BY_ID}/product_event/",
        CREATE_EVENT,
        "record what a contact did with a product",
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
        for path in (f"{_BY_ID}/details/", f"{_BY_ID}/")
    ),
)
