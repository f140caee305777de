"""Whom a deal names besides its buyer, and its company: kept as sent, told as they are today."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ordertrail.actions.deal_facts import PARTICIPANTS
from ordertrail.domain.deal import Deal
from ordertrail.kit.database import Reader
from ordertrail.store import companies, contacts

_COMPANY = "company_id"


def today(reader: Reader, workspace_id: int, deals: Sequence[Deal]) -> list[Deal]:
    """Return the deals with what is there: a merged contact is its parent."""
    people = {number for deal in deals for number in deal.details.get(PARTICIPANTS) or ()}
    firms = {deal.details[_COMPANY] for deal in deals if deal.details.get(_COMPANY) is not None}
    known = contacts.known(reader, workspace_id, people)
    keys = companies.custom_ids(reader, workspace_id, firms)
    return [_with(deal, known, keys) if _has_some(deal) else deal for deal in deals]


def _has_some(deal: Deal) -> bool:
    return bool(deal.details.get(PARTICIPANTS)) or deal.details.get(_COMPANY) is not None


def _with(deal: Deal, known: Mapping[int, int], keys: Mapping[int, str | None]) -> Deal:
    details: dict[str, Any] = dict(deal.details)
    if details.get(PARTICIPANTS):
        named = [known[number] for number in details[PARTICIPANTS] if number in known]
        details[PARTICIPANTS] = list(dict.fromkeys(named))
    number = details.get(_COMPANY)
    if number is not None:
        there = number if number in keys else None
        details |= {_COMPANY: there, "company_custom_id": keys.get(number)}
    return replace(deal, details=details)
