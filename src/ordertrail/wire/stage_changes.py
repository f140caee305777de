"""The stages that a deal was in, on the wire."""

from typing import Any, TypedDict

from ordertrail.domain.deal import Deal
from ordertrail.domain.errors import Invalid
from ordertrail.domain.pipeline import StageChange
from ordertrail.wire import body

SPAN_MAX = 100


class StageChangeShown(TypedDict):
    """A stage that a deal came to; `deal` is the deal's name, `left_at` null while it is there."""

    id: int
    deal: str
    changed_by: str | None
    stage: int
    stage_name: str | None
    entered_at: str
    left_at: str | None


def encode(change: StageChange, deal: Deal) -> dict[str, Any]:
    """Return a stage of a deal as the API shows it."""
    return {
        "id": change.id,
        "deal": deal.name,
        "changed_by": change.changed_by,
        "stage": change.stage_id,
        "stage_name": change.stage_name,
        "entered_at": body.iso(change.entered_at),
        "left_at": body.optional_iso(change.left_at),
    }


def decode_window(count_from: str | None, count_to: str | None) -> tuple[int, int] | None:
    """Return the first and the last that are asked for, or None when neither is."""
    if count_from is None and count_to is None:
        return None
    first = 1 if count_from is None else body.whole("count_from", count_from)
    if not 0 < first < body.ID_MAX - SPAN_MAX:
        raise Invalid({"count_from": "must be 1, which is the newest, or more"})
    last = first + SPAN_MAX - 1 if count_to is None else body.whole("count_to", count_to)
    if not first <= last < first + SPAN_MAX:
        raise Invalid({"count_to": f"must be from count_from to {SPAN_MAX - 1} more"})
    return first, last
