"""A rehearsal tells what accepting would do, and leaves no trace."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from made_orders import CASE, FULFILLED, PARTLY_RETURNED, PLACED, RETURNED, many
from order_histories import histories

from ordertrail.domain.order import Order
from ordertrail.sync.operations import Kind
from ordertrail.sync.outbox import Filter, Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rehearsal import EXAMPLES, Rehearsal, rehearse
from ordertrail.sync.rules import Flow, FlowName
from ordertrail.sync.shops.readings import Rejected

ROUTE = Route("shop", "http://there")
FLOW = Flow()
NEVER_TRUE = replace(PLACED, id="BAD", lines=(replace(CASE, quantity=0),))


@pytest.fixture
def outbox(tmp_path: Path):
    with open_outbox(tmp_path / "outbox") as opened:
        yield opened


def rehearsed(outbox: Outbox, *orders: Order | Rejected, flow: Flow = FLOW) -> Rehearsal:
    return rehearse(outbox, ROUTE, flow, orders)


def worth(found: Rehearsal) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    return found.amounts(found.worth_before), found.amounts(found.worth_after)


@settings(max_examples=30)
@given(before=histories(size_max=2), news=histories(), others=histories("O:2", size_max=2))
def test_it_tells_what_accepting_then_does(
    before: list[Order], news: list[Order], others: list[Order]
) -> None:
    with TemporaryDirectory() as folder, open_outbox(Path(folder) / "outbox") as outbox:
        outbox.accept(ROUTE, FLOW, before)
        told = rehearsed(outbox, *news, *others)
        done = outbox.accept(ROUTE, FLOW, [*news, *others])
    assert (told.orders, told.unchanged) == (done.orders, done.unchanged)
    assert (told.changed, told.older, told.refused) == (done.changed, done.older, done.refused)
    assert told.operations == done.operations


def test_the_outbox_is_as_it_was(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    counts, listed = outbox.counts(ROUTE.destination), outbox.listed(ROUTE.destination, Filter())
    rehearsed(outbox, FULFILLED, NEVER_TRUE, *many(9))
    assert outbox.counts(ROUTE.destination) == counts
    assert outbox.listed(ROUTE.destination, Filter()) == listed
    assert outbox.order(ROUTE, "O1") is None
    assert outbox.quarantined(ROUTE.destination) == []


def test_a_destination_that_is_only_rehearsed_is_not_known_afterwards(outbox: Outbox) -> None:
    assert rehearsed(outbox, PLACED).changed == 1
    assert outbox.destinations() == []


def test_the_worth_is_that_of_the_orders_before_and_after(outbox: Outbox) -> None:
    dear = Decimal("149.90")
    assert worth(rehearsed(outbox, PLACED)) == ({}, {"USD": dear})
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert worth(rehearsed(outbox, PLACED)) == ({"USD": dear}, {"USD": dear})
    partly = rehearsed(outbox, FULFILLED, PARTLY_RETURNED)
    assert worth(partly) == ({"USD": dear}, {"USD": dear - 20})
    assert worth(rehearsed(outbox, RETURNED))[1] == {"USD": Decimal(0)}


def test_the_worth_counts_an_order_once_however_often_it_comes(outbox: Outbox) -> None:
    orders = [PLACED, *many(450), FULFILLED, *many(450)]
    found = rehearsed(outbox, *orders)
    with open_outbox(Path(outbox.where).with_name("other")) as other:
        once = rehearsed(other, FULFILLED, *many(450))
    assert worth(found) == worth(once)
    assert found.orders == 902


def test_each_currency_is_summed_by_itself(outbox: Outbox) -> None:
    yen = replace(PLACED, id="JPY", currency="JPY", lines=(replace(CASE, unit_price=Decimal(300)),))
    assert worth(rehearsed(outbox, PLACED, yen))[1] == {
        "JPY": Decimal(300),
        "USD": Decimal("149.90"),
    }


def test_examples_are_of_every_kind_and_only_of_what_is_new(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, many(3))
    found = rehearsed(outbox, *many(9))
    for kind, some in found.examples.items():
        assert len(some) == min(found.operations[kind], EXAMPLES)
        assert all(each.order_id not in ("O0", "O1", "O2") for each in some)
    assert found.examples[Kind.DEAL]


def test_what_is_no_order_or_cannot_be_true_is_counted_with_its_reason(outbox: Outbox) -> None:
    rejected = Rejected(None, "line 2", "is not JSON")
    found = rehearsed(outbox, PLACED, rejected, NEVER_TRUE)
    assert (found.orders, found.changed, found.rejected) == (3, 1, [rejected])
    assert found.refused == [("BAD", "lines[0].quantity: must be above zero")]
    assert found.orders == found.unchanged + found.changed + found.older + 2


def test_of_another_flow_it_tells_what_that_would_change(outbox: Outbox) -> None:
    simple = Flow(name=FlowName.SIMPLE)
    found = rehearsed(outbox, PLACED, flow=simple)
    assert found.operations[Kind.CONVERSION] == 1
    outbox.accept(ROUTE, simple, [PLACED])
    assert rehearsed(outbox, FULFILLED, flow=simple).operations.total() == 0
