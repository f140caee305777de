"""What a destination must hold, worked out from the shop's own records alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ordertrail.client import calls
from ordertrail.domain.errors import Invalid
from ordertrail.domain.identity import Strategy
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.flow import Desired, desired
from ordertrail.sync.rules import Flow
from simulation import shop as shops
from simulation.endpoint import Endpoint
from simulation.shop import Shop
from simulation.trace import Trace

Meaning = tuple[Any, ...]
"""What an event means: the order, what happened, and to which product by which refund."""

OWNER = "user_custom_id"


@dataclass(frozen=True)
class Records:
    """What the shop knows, and which of its snapshots were ever handed over."""

    source_of: Mapping[str, Shop]
    handed_over: Mapping[str, Sequence[Order]]
    flow: Flow

    def newest(self) -> Iterable[Order]:
        for shop in self.source_of.values():
            yield from shop.newest()

    def said(self, order_id: str) -> list[Desired]:
        """Return what the snapshots wanted that were handed over, as far as they were true."""
        return [
            wanted
            for order in self.handed_over.get(order_id, ())
            if (wanted := self.wanted(order)) is not None
        ]

    def wanted(self, order: Order) -> Desired | None:
        try:
            return desired(order, self.flow)
        except Invalid:
            return None


def check(records: Records, there: Endpoint, trace: Trace) -> None:
    """Require that the destination is what the newest snapshots say, and nothing else."""
    check_events(there, trace)
    names = _account_names(records)
    expected_deals = set()
    for order in records.newest():
        said = records.said(order.id)
        wanted = records.wanted(order)
        if records.flow.is_simple:
            if not said or (wanted is None and order.id not in there.deals):
                continue
            wanted = _first_said(said, there, order, trace)
        trace.require(wanted is not None, f"{order.id}: the shop ends with an impossible order")
        assert wanted is not None
        expected_deals.add(order.id)
        _deal(order, wanted, said, there, trace)
        _owner(order, wanted, names, records, there, trace)
        _events(order, wanted, said, there, trace)
    strangers = there.deals.keys() - expected_deals
    trace.require(not strangers, "there are deals that nobody wanted", strangers)
    if not records.flow.is_simple:
        _money(records, there, trace)
    _contacts(records, there, trace)


def meanings(there: Endpoint) -> list[Meaning]:
    """Return what every event at the destination means."""
    return [_product_meaning(each) for each in there.product_events] + [
        (each["data"].get("order_id"), each["name"]) for each in there.events
    ]


def worth(order: Order) -> Decimal:
    """Return what is left of an order, by the guide: nothing once all of it came back."""
    if _is_returned(order):
        return Decimal(0)
    return max(shops.gross(order) - shops.refunded(order), Decimal(0))


def _is_returned(order: Order) -> bool:
    ordered: Counter[str] = Counter()
    for line in order.lines:
        if line.sku:
            ordered[line.sku] += line.quantity
    back: Counter[str] = Counter()
    for refund in order.refunds:
        for each in refund.lines:
            back[each.sku] += each.quantity
    is_all_money_back = shops.refunded(order) == shops.gross(order) > 0
    if any(line.unit_price for line in order.lines if not line.sku):
        return is_all_money_back
    if ordered and all(back[sku] >= quantity for sku, quantity in ordered.items()):
        return True
    return is_all_money_back and not any(each.lines for each in order.refunds)


def check_events(there: Endpoint, trace: Trace) -> None:
    """Require that no event is there twice."""
    twice = {what: count for what, count in Counter(meanings(there)).items() if count > 1}
    trace.require(not twice, "an event is there twice", twice)


def _product_meaning(event: Mapping[str, Any]) -> Meaning:
    told = event["custom_data"]
    about = told.get("order_id"), event["event_type"], event["product"]
    return *about, told.get("refund_id")


def _wanted_meanings(wanted: Desired) -> set[Meaning]:
    found: set[Meaning] = {
        (wanted.order_id, each.event.event_type, each.sku, each.refund_id)
        for each in wanted.product_events
    }
    if wanted.conversion is not None:
        found.add((wanted.order_id, wanted.conversion.name))
    return found


def _body(wanted: Desired) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(calls.upsert_deal(wanted.deal).body))
    del told[OWNER]
    return told


def _first_said(said: Sequence[Desired], there: Endpoint, order: Order, trace: Trace) -> Desired:
    """The simple flow says an order once: any snapshot may have been the one.

    Of those that differ in nothing but the customer it is the one whose customer has the deal.
    """
    deal = there.deals.get(order.id)
    trace.require(deal is not None, f"{order.id}: was accepted and is not there")
    assert deal is not None
    found = [each for each in said if _is_said(each, deal)]
    trace.require(bool(found), f"{order.id}: is there as no snapshot says it", (deal, said))
    owner = there.known_as(deal[OWNER])
    return next((each for each in found if there.known_as(each.person) == owner), found[0])


def _is_said(wanted: Desired, deal: Mapping[str, Any]) -> bool:
    return all(deal.get(name) == value for name, value in _body(wanted).items())


def _deal(
    order: Order, wanted: Desired, said: Sequence[Desired], there: Endpoint, trace: Trace
) -> None:
    deal = there.deals.get(order.id)
    trace.require(deal is not None, f"{order.id}: was accepted and is not there", order)
    assert deal is not None
    body = _body(wanted)
    wrong = {
        name: (deal.get(name), value) for name, value in body.items() if deal.get(name) != value
    }
    trace.require(
        not wrong, f"{order.id}: the deal (held, wanted) is not as the newest says", wrong
    )
    known = {name for each in said for name in _body(each)} | {"id", OWNER}
    strange = {name: deal[name] for name in deal.keys() - known}
    trace.require(not strange, f"{order.id}: the deal has what no snapshot said", strange)


def _events(
    order: Order, wanted: Desired, said: Sequence[Desired], there: Endpoint, trace: Trace
) -> None:
    held = {each for each in meanings(there) if each[0] == order.id}
    missing = _wanted_meanings(wanted) - held
    trace.require(not missing, f"{order.id}: events are missing", missing)
    ever = {each for one in said for each in _wanted_meanings(one)}
    strange = held - ever
    trace.require(not strange, f"{order.id}: no snapshot ever wanted these events", strange)


def _account_names(records: Records) -> dict[tuple[str, str], str]:
    """Return who each account is by now: as the order that was placed last says.

    In the simple flow that may be one which was said, and by now has not come so far after all.
    """
    latest: dict[tuple[str, str], tuple[Any, str]] = {}
    for source, shop in records.source_of.items():
        for order in shop.newest():
            wanted = records.wanted(order)
            if wanted is None and records.flow.is_simple:
                wanted = next(reversed(records.said(order.id)), None)
            if wanted is None or wanted.account is None:
                continue
            key = source, wanted.account
            if key not in latest or wanted.as_of > latest[key][0]:
                latest[key] = wanted.as_of, wanted.person
    return {key: person for key, (_, person) in latest.items()}


def _owner(
    order: Order,
    wanted: Desired,
    names: Mapping[tuple[str, str], str],
    records: Records,
    there: Endpoint,
    trace: Trace,
) -> None:
    owner = there.known_as(there.deals[order.id][OWNER])
    person = wanted.person
    if wanted.account is not None and records.flow.identity is not Strategy.SHOP_ID:
        source = next(
            name for name, shop in records.source_of.items() if order.id in shop.histories
        )
        person = names.get((source, wanted.account), person)
    if records.flow.is_simple and there.known_as(wanted.person) == owner:
        return
    expected = there.known_as(person)
    trace.require(owner == expected, f"{order.id}: is of {owner}, and should be of {expected}")
    trace.require(owner in there.contacts, f"{order.id}: its contact {owner} is not there")


def _money(records: Records, there: Endpoint, trace: Trace) -> None:
    wanted: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for order in records.newest():
        wanted[order.currency] += worth(order)  # type: ignore[assignment]
    for deal in there.deals.values():
        held[deal["currency"]] += Decimal(deal["value"])  # type: ignore[assignment]
    trace.require(+held == +wanted, "the money does not add up (held, sold)", (held, wanted))


def _contacts(records: Records, there: Endpoint, trace: Trace) -> None:
    """A contact says what the order says that was placed last, of those that said it."""
    told: dict[str, dict[str, set[Any]]] = {}
    for order_id in records.handed_over:
        for wanted in records.said(order_id):
            fields = told.setdefault(there.known_as(wanted.person), {})
            for name, value in calls.upsert_contact(wanted.contact).body.items():
                fields.setdefault(name, set()).add(value)
    for name, contact in there.contacts.items():
        for field, value in contact.items():
            if field in ("id", "custom_id"):
                continue
            may_be = told.get(name, {}).get(field, set())
            trace.require(value in may_be, f"contact {name}: {field} is {value!r}", may_be)
