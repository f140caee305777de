"""Deals, which are orders."""

from typing import Any

from ordertrail.actions import deals
from ordertrail.api import shown
from ordertrail.api.call import Answer, Call
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import Write
from ordertrail.kit.database import Reader
from ordertrail.wire import deals as wire
from ordertrail.wire import version1


def _upsert(call: Call) -> deals.Upsert:
    return deals.Upsert(wire.decode_change(said_of_deal(call)), call.author)


def said_of_deal(call: Call) -> dict[str, Any]:
    """Return what the body says of a deal, under the names of version 2."""
    sent = call.body() if call.version > 1 else version1.deal_body(call.body())
    call.warnings += wire.warnings(sent)
    return sent


def _upserted(call: Call, reader: Reader, done: deals.Upserted) -> Answer:
    return Answer({**shown.deals(call, reader)(done), "created": done.is_new})


def _upserted_plainly(call: Call, done: deals.Upserted) -> Answer | None:
    if call.version == 1:
        return None
    return Answer({**wire.encode(done.deal, done.custom_ids), "created": done.is_new})


UPDATE_OR_CREATE = Write(_upsert, deals.upsert, _upserted, _upserted_plainly)


async def read(call: Call) -> Answer:
    """Answer with one deal."""
    return Answer(await call.look(lambda reader: shown.deals(call, reader)(found(reader, call))))


def found(reader: Reader, call: Call) -> deals.Upserted:
    """Return the deal that the path names, or raise NotFound."""
    if "custom_id" in call.named:
        return deals.find(reader, call.workspace_id, call.path_text("custom_id"))
    return deals.get(reader, call.workspace_id, call.path_number("id"))


_BOTH = (f"{PUBLIC}/deals/{{id}}", f"{PUBLIC}/deals-by-id/{{custom_id}}")

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        f"{PUBLIC}/deals/update_or_create/",
        UPDATE_OR_CREATE,
        "create or change an order",
        wire.DealSent,
        wire.DealUpserted,
    ),
    *(
        Route("GET", f"{one}/", read, "one order with its lines", gives=wire.DealShown)
        for one in _BOTH
    ),
)
