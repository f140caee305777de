"""Contacts besides its buyer that a deal names: kept as they were sent, told as they are today."""

from collections.abc import Sequence
from dataclasses import replace

from ordertrail.actions.deal_facts import PARTICIPANTS
from ordertrail.domain.deal import Deal
from ordertrail.kit.database import Reader
from ordertrail.store import contacts


def has_some(deal: Deal) -> bool:
    """Tell whether the deal names any."""
    return bool(deal.details.get(PARTICIPANTS))


def today(reader: Reader, workspace_id: int, deals: Sequence[Deal]) -> list[Deal]:
    """Return the deals with those who are there: a merged contact is its parent."""
    named = {number for deal in deals for number in deal.details.get(PARTICIPANTS) or ()}
    known = contacts.known(reader, workspace_id, named)
    return [_with(deal, known) if has_some(deal) else deal for deal in deals]


def _with(deal: Deal, known: dict[int, int]) -> Deal:
    named = [known[number] for number in deal.details[PARTICIPANTS] if number in known]
    return replace(deal, details={**deal.details, PARTICIPANTS: list(dict.fromkeys(named))})
