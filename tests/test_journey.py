"""The journey: a shop's order goes in, the console shows it, through every layer."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from ordertrail.actions import people
from ordertrail.client.client import idempotency_key
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine
from ordertrail.sync.flow import desired
from ordertrail.sync.plan import Planned, plan
from ordertrail.sync.rules import Flow
from ordertrail.wire import body

AT = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
ORDER = Order(
    id="ORD-78523",
    customer=Customer(email="Ada@Example.com ", first_name="Ada", last_name="Lovelace"),
    placed_at=AT,
    fulfilled_at=AT,
    currency="GBP",
    lines=(Line("LAMP", 2, Decimal("12.345"), "Lamp"), Line("VASE", 1, Decimal(8), "Vase")),
    delivery=Decimal("4.50"),
)
VASE_BACK = Refund("R-1", AT, Decimal(8), (RefundLine("VASE", 1),))


def deliver(platform, token, order, planned):
    made = plan("shop", order.id, desired(order, Flow()), planned)
    for operation in made.operations:
        call = operation.call
        reply = platform.call(
            token,
            call.method,
            call.path,
            body=body.encode(call.body),
            headers={"Idempotency-Key": idempotency_key(operation.key)},
        )
        assert reply.status in (200, 201), reply.text
    return made.planned


def console(platform, path, cookie):
    return platform.caller.call("GET", path, headers={"Cookie": cookie})


def test_an_order_goes_in_and_the_console_shows_it(platform, token):
    planned = deliver(platform, token, ORDER, Planned())
    planned = deliver(platform, token, replace(ORDER, refunds=(VASE_BACK,)), planned)

    deal = platform.call(token, "GET", "/api/public/deals-by-id/ORD-78523/").json
    assert (deal["value"], deal["stage"], deal["status"]) == ("29.19", 2, 2)

    platform.database.write(lambda tx: people.invite_owner(tx, 1, "once", platform.now()))
    entered = platform.caller.call("GET", "/console/enter?code=once")
    cookie = entered.headers["set-cookie"].partition(";")[0]
    page = console(platform, f"/console/deals/{deal['id']}", cookie)
    for shown in ("ORD-78523", "Ada Lovelace", "Lamp", "Order fulfilled", "29.19", "12.345"):
        assert shown in page.text, shown
    person = console(platform, f"/console/contacts/{deal['user_id']}", cookie)
    for shown in ("Ada@Example.com", "purchase_completed", "Vase", "ORD-78523"):
        assert shown in person.text, shown
