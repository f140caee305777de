"""The Django shop: its pages, its transactions and a real platform."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from served_platform import EXAMPLES, Platform

from ordertrail import NotFound, Tracker

LINES = [{"sku": "A", "title": "Apple", "quantity": 2, "unit_price": "9.50"}]


@pytest.fixture(scope="module")
def django(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Django, set up for the shop on a fresh database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(EXAMPLES / "django_shop"), *sys.path])
        patch.setenv("DJANGO_SETTINGS_MODULE", "django_shop.settings")
        patch.setenv("SHOP_DATABASE", str(tmp_path_factory.mktemp("django") / "shop.db"))
        patch.setenv("ORDERTRAIL_URL", platform.url)
        patch.setenv("ORDERTRAIL_TOKEN", platform.token)
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        yield django
        connections.close_all()


@pytest.fixture
def tracker(django: Any) -> Iterator[Tracker]:
    from orders.tracking import tracker

    yield tracker()
    tracker().close()


@pytest.fixture
def orders(tracker: Tracker) -> Any:
    from orders import services

    return services


def place(orders: Any, tracker: Tracker, email: str = "c@example.com") -> Any:
    return orders.place(tracker, email, "Carla", LINES)


def test_an_order_goes_through_the_pages_and_arrives(tracker: Tracker, platform: Platform) -> None:
    from django.test import Client

    client = Client()
    said = {"email": "carla@example.com", "name": "Carla", "lines": LINES}
    placed = client.post("/orders/", said, content_type="application/json")
    assert placed.status_code == 201
    number = placed.json()["number"]
    page = f"/orders/{number.removeprefix('ORD-')}"
    assert client.post(f"{page}/ship/").status_code == 200
    back = {"lines": {"A": 1}, "refund_id": "R1"}
    for _ in range(2):
        answer = client.post(f"{page}/take-back/", back, content_type="application/json")
        assert answer.status_code == 200
    assert tracker.drain()
    deal = platform.deal(number)
    assert (float(deal["value"]), deal["status"]) == (9.5, 2)


def test_an_order_that_is_rolled_back_sends_nothing(orders: Any, tracker: Tracker) -> None:
    from django.db import transaction

    from orders.models import Order

    before = tracker.counts(), Order.objects.count()
    with transaction.atomic():
        order = place(orders, tracker)
        transaction.set_rollback(True)
    assert (tracker.counts(), Order.objects.count()) == before
    with pytest.raises(NotFound):
        tracker.fulfilled(order.number)


def test_what_is_placed_and_shipped_in_one_transaction_arrives(
    orders: Any, tracker: Tracker, platform: Platform
) -> None:
    from django.db import transaction

    with transaction.atomic():
        order = place(orders, tracker)
        orders.ship(tracker, order)
    assert tracker.drain()
    assert platform.deal(order.number)["status"] == 2


def test_the_shops_own_tests_need_no_platform(orders: Any) -> None:
    with Tracker.fake() as fake:
        order = place(orders, fake)
        assert fake.holds(order.number)["value"] == 19
        assert [event.sku for event in fake.events("order")] == ["A"]
