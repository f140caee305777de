"""The parts of a simulated world are what they pretend to be."""

import random

import pytest

from ordertrail.sync import flow as flows
from ordertrail.sync.rules import Flow
from simulation import truth
from simulation.endpoint import API, HOSTED, PAGE_SIZE, PLATFORM, Endpoint
from simulation.faults import CALM, Faults
from simulation.feed import Feed
from simulation.shop import Shop
from simulation.virtual_time import BEGIN

CONTACT = f"{API}/users/update_or_create/"
EVENTS = f"{API}/users-by-id/A/events/"


def busy_shop(seed: int, ranks_by: str = "version") -> Shop:
    chance = random.Random(seed)
    shop = Shop("s", chance, lambda: BEGIN, ranks_by)
    for _ in range(300):
        if chance.random() < 0.4:
            shop.place()
        else:
            shop.change()
    return shop


def test_a_shop_ends_with_orders_that_are_true_and_worth_what_the_flow_says() -> None:
    shop = busy_shop(1)
    shop.mend_all()
    assert len(shop.newest()) > 50
    for order in shop.newest():
        wanted = flows.desired(order, Flow())
        assert wanted is not None
        assert wanted.deal.value == truth.worth(order)


def test_a_shop_goes_through_everything_that_happens_to_orders() -> None:
    newest = busy_shop(2).newest()
    assert any(order.cancelled_at for order in newest)
    assert any(truth.worth(order) == 0 for order in newest)
    assert any(order.refunds and truth.worth(order) > 0 for order in newest)
    assert {order.currency for order in newest} == {"USD", "EUR", "JPY", "KWD", "CLF"}
    assert any(line.sku is None for order in newest for line in order.lines)
    assert any(order.customer.email is None for order in newest)


def test_later_snapshots_rank_higher() -> None:
    for history in busy_shop(3).histories.values():
        versions = [order.version or 0 for order in history]
        assert versions == sorted(set(versions))
    for history in busy_shop(4, "updated_at").histories.values():
        moments = [order.updated_at for order in history]
        assert all(moment is not None for moment in moments)
        assert moments == sorted(set(moments))  # type: ignore[type-var]


def test_the_platform_carries_one_key_out_once_and_the_hosted_service_does_not() -> None:
    for kind, times in ((PLATFORM, 1), (HOSTED, 2)):
        there = Endpoint(kind, lambda: 0.0)
        there.take("POST", CONTACT, None, {"custom_id": "A"})
        for _ in range(2):
            there.take("POST", EVENTS, "k", {"name": "bought", "data": {"order_id": "O1"}})
        assert len(there.events) == times


def test_the_hosted_service_does_not_know_strangers() -> None:
    there = Endpoint(HOSTED, lambda: 0.0)
    assert there.take("POST", EVENTS, None, {"name": "bought"}).status == 404
    assert there.take("GET", "/api/ordertrail/v1/about/", None, {}).status == 404


def test_the_hosted_service_takes_ten_calls_a_second() -> None:
    now = [0.0]
    there = Endpoint(HOSTED, lambda: now[0])
    replies = [there.take("POST", CONTACT, None, {"custom_id": "A"}) for _ in range(11)]
    assert [reply.status for reply in replies] == [200] * 10 + [429]
    assert replies[-1].headers == {"retry-after": "1"}
    now[0] = 1.0
    assert there.take("POST", CONTACT, None, {"custom_id": "A"}).status == 200


def test_a_timeline_comes_in_pages_newest_first() -> None:
    there = Endpoint(PLATFORM, lambda: 0.0)
    there.take("POST", CONTACT, None, {"custom_id": "A"})
    for number in range(PAGE_SIZE + 1):
        there.take("POST", EVENTS, None, {"name": f"e{number}"})
    first = there.take("GET", EVENTS, None, {})
    assert [each["name"] for each in first.said["results"]] == ["e5", "e4", "e3", "e2", "e1"]
    second = there.take("GET", first.said["next"].partition("destination")[2], None, {})
    assert [each["name"] for each in second.said["results"]] == ["e0"]
    assert second.said["next"] is None


def test_merged_contacts_become_one() -> None:
    there = Endpoint(PLATFORM, lambda: 0.0)
    old = there.take("POST", CONTACT, None, {"custom_id": "A", "phone": "1"}).said["id"]
    new = there.take("POST", CONTACT, None, {"custom_id": "B"}).said["id"]
    there.take("POST", f"{API}/users/merge/", None, {"parent": new, "users_list": [old]})
    assert there.known_as("A") == "B"
    assert there.contacts["B"]["phone"] == "1"


@pytest.mark.parametrize("ranks_by", ["version", ""])
def test_messages_keep_their_order_only_where_order_is_all_there_is(ranks_by: str) -> None:
    now = [0.0]
    feed, shop = Feed(lambda: now[0], random.Random(5)), busy_shop(5, ranks_by)
    feed.faults = Faults(message_lost=0.2, message_twice=0.3, message_late=0.5)
    sent = [order for history in shop.histories.values() for order in history]
    for order in sent:
        feed.send(shop, order)
    now[0] = 3_600.0
    heard = []
    while batch := feed.due():
        heard += [each.number for each in batch]
        feed.done()
    assert feed.is_empty
    assert 0.7 * len(sent) < len(heard) < 1.3 * len(sent)
    assert (heard == sorted(heard)) is (ranks_by == "")


def test_what_failed_is_sent_again() -> None:
    now = [0.0]
    feed, shop = Feed(lambda: now[0], random.Random(6)), busy_shop(6)
    assert feed.faults == CALM
    feed.send(shop, shop.newest()[0])
    now[0] = 100.0
    [message] = feed.due()
    feed.failed()
    now[0] = 200.0
    assert [each.order for each in feed.due()] == [message.order]
    feed.done()
    assert feed.is_empty
