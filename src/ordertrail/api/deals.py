"""Deals, which are orders."""

from ordertrail.actions import deals
from ordertrail.api.call import Answer, Call
from ordertrail.api.writes import Write
from ordertrail.kit.database import Reader
from ordertrail.wire import deals as wire


def _upsert(call: Call) -> deals.Upsert:
    return deals.Upsert(wire.decode_change(call.body()), call.author)


def _upserted(done: deals.Upserted) -> Answer:
    return Answer({**wire.encode(done.deal, done.custom_ids), "created": done.is_new})


UPDATE_OR_CREATE = Write(_upsert, deals.upsert, _upserted)
"""POST deals/update_or_create/"""


async def read(call: Call) -> Answer:
    """GET deals/:id/ and deals-by-id/:custom_id/"""
    found = await call.read(lambda reader: _found(reader, call))
    return Answer(wire.encode(found.deal, found.custom_ids))


def _found(reader: Reader, call: Call) -> deals.Upserted:
    if "custom_id" in call.scope["path_params"]:
        return deals.find(reader, call.workspace_id, call.path_text("custom_id"))
    return deals.get(reader, call.workspace_id, call.path_number("id"))
