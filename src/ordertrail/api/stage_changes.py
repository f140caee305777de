"""The stages that a deal was in."""

from collections.abc import Sequence

from ordertrail.actions import deals, stage_changes
from ordertrail.api.call import Answer, Call, paged
from ordertrail.domain.deal import Deal, DealName
from ordertrail.domain.pipeline import StageChange
from ordertrail.kit.database import Reader
from ordertrail.wire import stage_changes as wire


async def list_all(call: Call) -> Answer:
    """Answer with a page of the stages of a deal, or with those that are counted out."""
    name, place = call.name(DealName), call.place()
    window = wire.decode_window(call.query("count_from"), call.query("count_to"))

    def listed(reader: Reader) -> Answer:
        deal = deals.named(reader, call.workspace_id, name).deal
        if window is None:
            found = stage_changes.page(reader, call.workspace_id, deal.id, place)
            return paged(call, found, lambda each: wire.encode(each, deal))
        count, changes = stage_changes.window(reader, call.workspace_id, deal.id, *window)
        return _counted_out(call, deal, window, count, changes)

    return await call.read(listed)


def _counted_out(
    call: Call, deal: Deal, window: tuple[int, int], count: int, changes: Sequence[StageChange]
) -> Answer:
    """A page of those from one place to another, with links to what stands after and before."""
    first, last = window
    span = last - first + 1

    def link(start: int, end: int) -> str:
        return call.link(count_from=str(start), count_to=str(end))

    return Answer(
        {
            "count": count,
            "next": link(last + 1, last + span) if last < count else None,
            "previous": link(max(1, first - span), first - 1) if first > 1 else None,
            "results": [wire.encode(each, deal) for each in changes],
        }
    )
