"""The stages that a deal was in, as the journal tells them."""

from ordertrail.domain.pipeline import StageChange
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import Page, Place
from ordertrail.store import stage_changes


def page(reader: Reader, workspace_id: int, deal_id: int, place: Place) -> Page[StageChange]:
    """Return a page of the stages of a deal, newest first."""
    return stage_changes.page(reader, workspace_id, deal_id, place)


def window(
    reader: Reader, workspace_id: int, deal_id: int, first: int, last: int
) -> tuple[int, list[StageChange]]:
    """Return how many stages a deal had, and those from the `first` to the `last`, newest first.

    The newest is 1.
    """
    count = stage_changes.count_of(reader, workspace_id, deal_id)
    if first > count:
        return count, []
    return count, stage_changes.window(reader, workspace_id, deal_id, first, last)
