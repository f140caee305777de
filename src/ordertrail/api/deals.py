"""Deals, which are orders."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ordertrail.actions import deals
from ordertrail.actions.outcomes import Written
from ordertrail.api import shown, stage_changes
from ordertrail.api.call import Answer, Call, paged
from ordertrail.api.route import PUBLIC, Route
from ordertrail.api.writes import Write, answered, simple
from ordertrail.domain.deal import Deal, DealChange, DealName
from ordertrail.kit.snapshot import Snapshot
from ordertrail.wire import deals as wire
from ordertrail.wire import filters, version1
from ordertrail.wire import tags as wire_tags
from ordertrail.wire.shapes import DeletedShown, page_of
from ordertrail.wire.stage_changes import StageChangeShown


def _upsert(call: Call) -> deals.Upsert:
    return deals.Upsert(wire.decode_change(said_of_deal(call)), call.author)


def imported(call: Call, told: Mapping[str, Any]) -> deals.Upsert | deals.ChangeNameless:
    """Return what a row of an import says; its id and time of creation may name the order."""
    upsert = _upsert(call)
    name = wire.decode_exported(told)
    if upsert.change.custom_id is not None or name is None:
        return upsert
    return deals.ChangeNameless(*name, upsert.change, upsert.author)


def _create(call: Call) -> deals.Create:
    return deals.Create(wire.decode_change(said_of_deal(call)), call.author)


def _change(call: Call) -> deals.Change:
    return deals.Change(call.name(DealName), wire.decode_change(said_of_deal(call)), call.author)


def _tag(call: Call) -> deals.Change:
    change = DealChange(tags=(wire_tags.decode_name(call.body()),))
    return deals.Change(call.name(DealName), change, call.author)


def _untag(call: Call) -> deals.Change:
    change = DealChange(untagged=(wire_tags.decode_name(call.body()),))
    return deals.Change(call.name(DealName), change, call.author)


def _tagged(call: Call, done: Written[deals.ReadDeal]) -> Answer:
    name = wire_tags.decode_name(call.body())
    return Answer(wire_tags.encode_added(done.thing.deal.tags, name, done.new_tags))


def _untagged(call: Call, _done: Written[deals.ReadDeal]) -> Answer:
    return Answer(wire_tags.encode_removed(wire_tags.decode_name(call.body())))


def _delete(call: Call) -> deals.Delete:
    return deals.Delete(call.name(DealName), call.author)


def said_of_deal(call: Call) -> dict[str, Any]:
    """Return what the body says of a deal, under the names of version 2."""
    sent = call.body() if call.version > 1 else version1.deal_body(call.body())
    call.warnings += wire.warnings(sent)
    return sent


def _upserted(call: Call, snapshot: Snapshot, done: Written[deals.ReadDeal]) -> Answer:
    return Answer({**shown.deals(call, snapshot)(done.thing), "created": done.is_new})


def _upserted_plainly(call: Call, done: Written[deals.ReadDeal]) -> Answer | None:
    if call.version == 1:
        return None
    return Answer({**wire.encode(done.thing.deal, done.thing.custom_ids), "created": done.is_new})


def _saved(call: Call, snapshot: Snapshot, done: Written[deals.ReadDeal]) -> Answer:
    return Answer(shown.deals(call, snapshot)(done.thing), 201 if done.is_new else 200)


def _saved_plainly(call: Call, done: Written[deals.ReadDeal]) -> Answer | None:
    if call.version == 1:
        return None
    return Answer(wire.encode(done.thing.deal, done.thing.custom_ids), 201 if done.is_new else 200)


def _deleted(deal: Deal) -> Answer:
    return Answer({"id": deal.id, "deleted": True})


UPDATE_OR_CREATE = Write(_upsert, deals.upsert, _upserted, _upserted_plainly)
CREATE = Write(_create, deals.upsert, _saved, _saved_plainly)
CHANGE = Write(_change, deals.upsert, _saved, _saved_plainly)
ADD_TAG = answered(_tag, deals.upsert, _tagged)
REMOVE_TAG = answered(_untag, deals.upsert, _untagged)
DELETE = simple(_delete, deals.delete, _deleted)


async def read(call: Call) -> Answer:
    """Answer with one deal."""
    name = call.name(DealName)
    return Answer(
        await call.look(
            lambda snapshot: shown.deals(call, snapshot)(
                deals.named(snapshot, call.workspace_id, name)
            )
        )
    )


async def list_all(call: Call) -> Answer:
    """Answer with a page of the deals that the query's filters hold for."""
    queries = call.queries()
    older = {} if call.version > 1 else version1.DEAL
    sought = filters.decode(
        queries,
        known=deals.FIELDS,
        dates=deals.DATES,
        named=lambda name: older.get(name, name),
    )
    told = (*call.warnings, *filters.warnings(queries))
    place = call.place()

    def page(snapshot: Snapshot) -> Answer:
        found = deals.page(snapshot, call.workspace_id, sought, place)
        answer = paged(call, found.page, shown.deals(call, snapshot))
        return replace(answer, warnings=(*told, *found.warnings))

    return await call.read(page)


_BOTH = (f"{PUBLIC}/deals/{{id}}", f"{PUBLIC}/deals-by-id/{{custom_id}}")
_FILTERS = (
    *("pipeline", "stage", "status", "user_id", "user_custom_id", "userkey", "company_id"),
    *("custom_id", "created_at__gte", "created_at__lte", "updated_at__gte", "updated_at__lte"),
    *filters.RANGE_QUERIES,
)
_CHANGED = "change an order; what is not sent stays"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        f"{PUBLIC}/deals/update_or_create/",
        UPDATE_OR_CREATE,
        "create or change an order",
        wire.DealSent,
        wire.DealUpserted,
    ),
    Route(
        "GET",
        f"{PUBLIC}/deals/",
        list_all,
        "orders, newest first, 100 a page; any field filters, as `field__gte=`",
        gives=page_of(wire.DealShown),
        queries=("cursor", *_FILTERS),
    ),
    *(
        Route(
            "POST",
            path,
            CREATE,
            "create an order",
            wire.DealSent,
            wire.DealShown,
            status=201,
        )
        for path in (f"{PUBLIC}/deals/", f"{PUBLIC}/deals-by-id/")
    ),
    *(
        route
        for one in _BOTH
        for route in (
            Route("GET", f"{one}/", read, "one order with its lines", gives=wire.DealShown),
            Route("PUT", f"{one}/", CHANGE, _CHANGED, wire.DealSent, wire.DealShown),
            Route("PATCH", f"{one}/", CHANGE, _CHANGED, wire.DealSent, wire.DealShown),
            Route(
                "POST",
                f"{one}/add_tag/",
                ADD_TAG,
                "put a tag on an order",
                wire_tags.TagNamed,
                wire_tags.TagAdded,
            ),
            *(
                Route(
                    method,
                    f"{one}/remove_tag/",
                    REMOVE_TAG,
                    "take a tag off an order",
                    wire_tags.TagNamed,
                    wire_tags.TagRemoved,
                )
                for method in ("POST", "DELETE")
            ),
            Route("DELETE", f"{one}/", DELETE, "delete an order", gives=DeletedShown),
            Route(
                "GET",
                f"{one}/stage-changes/",
                stage_changes.list_all,
                "the stages that an order was in, newest first",
                gives=page_of(StageChangeShown),
                queries=("cursor", "count_from", "count_to"),
            ),
        )
    ),
)
