"""Products and product events."""

from ordertrail.actions import products
from ordertrail.api.call import Answer, Call
from ordertrail.domain.product import Product
from ordertrail.kit.database import Reader
from ordertrail.wire import products as wire


async def create_event(call: Call) -> Answer:
    """POST products-by-id/:custom_id/product_event/"""
    custom_id = call.path_text("custom_id")
    event = wire.decode_event(call.body())
    command = products.CreateEvent(custom_id, event, call.author, call.operation_key)
    done: products.CreatedEvent = await call.commit(products.create_events, command)
    return Answer({"id": done.id}, 201)


async def read(call: Call) -> Answer:
    """GET products-by-id/:custom_id/details/"""

    def work(reader: Reader) -> tuple[Product, dict[str, int]]:
        product = products.find(reader, call.workspace_id, call.path_text("custom_id"))
        return product, products.event_counts(reader, call.workspace_id, product.id)

    product, counts = await call.read(work)
    return Answer({**wire.encode(product), "event_counts": counts})
