"""Products and product events."""

from ordertrail.actions import products
from ordertrail.api.call import Answer, Call
from ordertrail.api.writes import Write
from ordertrail.domain.product import Product
from ordertrail.kit.database import Reader
from ordertrail.wire import products as wire


def _event(call: Call) -> products.CreateEvent:
    custom_id = call.path_text("custom_id")
    event = wire.decode_event(call.body())
    return products.CreateEvent(custom_id, event, call.author, call.operation_key)


def _event_created(done: products.CreatedEvent) -> Answer:
    return Answer({"id": done.id}, 201)


def _upsert(call: Call) -> products.Upsert:
    return products.Upsert(*wire.decode_change(call.body()), call.author)


def _upserted(done: products.Upserted) -> Answer:
    return Answer(wire.encode(done.product), 201 if done.is_new else 200)


CREATE = Write(_upsert, products.upsert, _upserted)
"""POST products/"""

CREATE_EVENT = Write(_event, products.create_events, _event_created)
"""POST products-by-id/:custom_id/product_event/"""


async def read(call: Call) -> Answer:
    """GET products-by-id/:custom_id/details/"""

    def work(reader: Reader) -> tuple[Product, dict[str, int]]:
        product = products.find(reader, call.workspace_id, call.path_text("custom_id"))
        return product, products.event_counts(reader, call.workspace_id, product.id)

    product, counts = await call.read(work)
    return Answer({**wire.encode(product), "event_counts": counts})
