"""Verify: every order looked at, a contact once for all its orders; what cannot be told is said."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from fast_time import FAST
from made_orders import FULFILLED, JOHN, many

from ordertrail.client.answers import Answer
from ordertrail.client.client import Client
from ordertrail.client.exchange import Request
from ordertrail.domain.errors import Forbidden, Unavailable
from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync import truths
from ordertrail.sync.asking import Alone, Asker
from ordertrail.sync.drift import Drift
from ordertrail.sync.flow import desired
from ordertrail.sync.outbox import Route, open_outbox
from ordertrail.sync.plan import Planned, PlannedOrder, plan
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops.readings import Rejected
from ordertrail.sync.verify import CONTACTS_KEPT_MAX, Reader, Truth, Verified, verify
from ordertrail.sync.worker import Pace, There

URL = "https://acme.user.com"
FLOW = Flow()
ROUTE = Route("shop", URL)
PACE = Pace(rim=FAST, limit_per_s=0)


class Holdings:
    """An endpoint that holds what orders cause, and answers what it is asked."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.deals: dict[str, dict[str, Any]] = {}
        self.lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.asked: Counter[str] = Counter()
        self.failures: dict[str, int] = {}
        for order in orders:
            self.take(order)

    def take(self, order: Order) -> None:
        """Come to hold what an order causes."""
        wished = desired(order, FLOW)
        assert wished is not None
        for each in plan("shop", order.id, wished, Planned()).operations:
            said = json.loads(json.dumps(each.call.body))
            if each.kind.value == "contact":
                number = len(self.contacts) + 1
                self.contacts.setdefault(said["custom_id"], {"id": number}).update(said)
            elif each.kind.value == "deal":
                owner = self.contacts[said["user_custom_id"]]
                self.deals[said["custom_id"]] = {**said, "user_id": owner["id"]}
            elif each.kind.value == "conversion":
                self.lists.setdefault((each.lane, "events"), []).append(said)
            else:
                shown = {**said, "custom_data": said["data"]["custom_data"]}
                self.lists.setdefault((each.lane, "product_events"), []).append(shown)

    def merge(self, old: str, new: str) -> None:
        """Let one contact become another, as a merge at the endpoint does."""
        gone = self.contacts.pop(old)
        kept = self.contacts[new]
        for deal in self.deals.values():
            if deal["user_id"] == gone["id"]:
                deal["user_id"] = kept["id"]
        for name in ("events", "product_events"):
            self.lists.setdefault((new, name), []).extend(self.lists.pop((old, name), []))

    async def exchange(self, request: Request) -> Answer:
        path = unquote(urlsplit(request.url).path)
        self.asked[path] += 1
        if (status := self.failures.get(path)) is not None:
            return Answer(status, b"{}")
        found = self.at(*path.removeprefix("/api/public/").strip("/").split("/"))
        return Answer(404, b"{}") if found is None else Answer(200, json.dumps(found).encode())

    def at(self, kind: str, name: str, below: str | None = None) -> Any:
        if kind == "deals-by-id":
            return self.deals.get(name)
        if kind == "users":
            return next((c for c in self.contacts.values() if str(c["id"]) == name), None)
        return self.contacts.get(name) if below is None else self.lists.get((name, below), [])


def verified(there: Holdings, given: Iterable[Truth], **options: Any) -> Verified:
    async def look() -> Verified:
        async with Client(URL, "t", exchange=there.exchange) as client:
            reader = Reader(Asker(client, There(URL, None), PACE, Alone()))
            return await verify(given, FLOW, reader, **options)

    return asyncio.run(look())


def test_what_is_held_as_it_should_be_does_not_differ_and_a_contact_is_read_once() -> None:
    orders = many(60)
    there = Holdings(orders)
    found = verified(there, map(Truth, orders))
    assert found.is_clean
    assert found.orders == 60
    assert set(there.asked.values()) == {1}
    assert len(there.asked) == 60 + 3 * 7


def test_whom_an_order_differs_is_told_while_it_looks() -> None:
    orders = many(40)
    there = Holdings(orders)
    there.deals["O3"]["value"] = 7
    del there.deals["O21"]
    told: dict[str, list[Drift]] = {}
    seen: list[int] = []
    found = verified(
        there,
        map(Truth, orders),
        on_drift=lambda order_id, some: told.update({order_id: [each.drift for each in some]}),
        progress=lambda so_far: seen.append(so_far.orders),
    )
    assert told == {"O3": [Drift.FIELD_DIFFERS], "O21": [Drift.DEAL_MISSING]}
    assert found.drifted == ["O3", "O21"]
    assert seen == [16, 32, 40]


def test_orders_of_a_contact_that_was_merged_into_another_do_not_differ() -> None:
    later = replace(FULFILLED, id="ORD-2", customer=replace(JOHN, email="new@example.com"))
    there = Holdings([FULFILLED, later])
    old, new = there.contacts
    there.merge(old, new)
    assert verified(there, map(Truth, (FULFILLED, later))).is_clean
    nameless = replace(FULFILLED, customer=replace(JOHN, shop_id=None))
    assert verified(there, [Truth(nameless)]).counts == {Drift.CONTACT_MISSING: 1}


def test_the_contact_that_was_planned_for_an_order_is_the_one_that_is_meant() -> None:
    there = Holdings([FULFILLED])
    (old,) = there.contacts
    renamed = replace(FULFILLED, customer=replace(JOHN, email="other@example.com", shop_id=None))
    planned = PlannedOrder(deal={"custom_id": FULFILLED.id, "user_custom_id": old})
    assert verified(there, [Truth(renamed, planned)]).is_clean
    assert not verified(there, [Truth(renamed)]).is_clean


def test_a_deal_of_another_contact_differs() -> None:
    there = Holdings([FULFILLED])
    there.deals[FULFILLED.id]["user_id"] = 99
    found = verified(there, [Truth(FULFILLED)])
    assert found.counts == {Drift.FIELD_DIFFERS: 1}
    assert "user_custom_id" in found.examples[Drift.FIELD_DIFFERS][0]


def test_one_that_cannot_be_told_is_not_called_right_and_the_others_go_on() -> None:
    orders = many(4)
    there = Holdings(orders)
    there.failures["/api/public/deals-by-id/O2/"] = 400
    found = verified(there, map(Truth, orders))
    assert (found.orders, len(found.untold), found.is_clean) == (3, 1, False)
    assert found.untold[0].startswith("O2: ")


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (500, Unavailable)])
def test_a_refused_key_and_an_endpoint_that_is_away_end_it(
    status: int, error: type[Exception]
) -> None:
    there = Holdings(many(4))
    there.failures["/api/public/deals-by-id/O2/"] = status
    with pytest.raises(error):
        verified(there, map(Truth, many(4)))


def test_orders_that_are_not_to_be_there_and_such_that_cannot_be_true_are_counted() -> None:
    never_true = replace(FULFILLED, id="X", currency="XXQ")
    found = verified(Holdings([FULFILLED]), [Truth(FULFILLED), Truth(never_true)])
    assert (found.orders, found.refused, found.is_clean) == (1, 1, False)


def test_no_more_contacts_are_kept_than_are_worth_it() -> None:
    count = 2 * CONTACTS_KEPT_MAX
    orders = many(count, contacts=count)
    there = Holdings(orders)
    both = [*orders, *orders]
    assert verified(there, map(Truth, both)).is_clean
    assert max(there.asked.values()) == 2


# ---- what the truth is ----


def test_the_latest_snapshot_in_a_file_is_its_truth(tmp_path: Path) -> None:
    placed = replace(FULFILLED, fulfilled_at=None)
    refused = replace(FULFILLED, id="X", currency="XXQ")
    nothing = Rejected(None, "line 3", "is not JSON")
    with open_outbox(tmp_path / "apart") as apart:
        found = truths.read_apart(apart, ROUTE, FLOW, [placed, FULFILLED, nothing, refused])
        assert found == ([nothing], [("X", "currency: is not an ISO 4217 currency code")])
        assert [each.order for each in truths.of_file(apart, None, ROUTE)] == [FULFILLED]


def test_a_newer_snapshot_that_the_outbox_knows_is_the_truth(tmp_path: Path) -> None:
    newer, older = replace(FULFILLED, version=2), replace(FULFILLED, version=1, tax=None)
    other = replace(FULFILLED, id="other")
    with open_outbox(tmp_path / "apart") as apart, open_outbox(tmp_path / "outbox") as outbox:
        outbox.accept(ROUTE, FLOW, [newer, many(1)[0]])
        truths.read_apart(apart, ROUTE, FLOW, [older, other])
        found = {each.order.id: each for each in truths.of_file(apart, outbox, ROUTE)}
        assert found[newer.id].order == newer
        assert found[newer.id].planned.deal["custom_id"] == newer.id
        assert found.keys() == {newer.id, "other"}


def test_all_orders_of_one_shop_in_an_outbox_are_given_page_by_page(tmp_path: Path) -> None:
    with open_outbox(tmp_path / "outbox") as outbox:
        outbox.accept(ROUTE, FLOW, many(2 * truths.PAGE + 1))
        outbox.accept(Route("elsewhere", URL), FLOW, many(3))
        assert len(list(truths.of_outbox(outbox, ROUTE))) == 2 * truths.PAGE + 1


def test_of_a_sample_each_is_as_likely_as_the_others() -> None:
    every = [Truth(order) for order in many(6)]
    assert truths.sampled(iter(every), 9) == every
    turns = iter([0, 5, 1])
    picked = truths.sampled(iter(every), 3, lambda below: min(next(turns), below - 1))
    assert [each.order.id for each in picked] == ["O3", "O5", "O2"]
