"""Deals, which are orders."""

from ordertrail.actions import deals
from ordertrail.api.call import Answer, Call
from ordertrail.kit.database import Reader
from ordertrail.wire import deals as wire


async def update_or_create(call: Call) -> Answer:
    """POST deals/update_or_create/"""
    change = wire.decode_change(call.body())
    done: deals.Upserted = await call.commit(deals.upsert, deals.Upsert(change, call.author))
    return Answer({**wire.encode(done.deal, done.custom_ids), "created": done.is_new})


async def read(call: Call) -> Answer:
    """GET deals/:id/ and deals-by-id/:custom_id/"""
    found = await call.read(lambda reader: _found(reader, call))
    return Answer(wire.encode(found.deal, found.custom_ids))


def _found(reader: Reader, call: Call) -> deals.Upserted:
    if "custom_id" in call.scope["path_params"]:
        return deals.find(reader, call.workspace_id, call.path_text("custom_id"))
    return deals.get(reader, call.workspace_id, call.path_number("id"))
