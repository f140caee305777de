"""The summary: exact, by currency, of one workspace alone."""

from dataclasses import replace
from decimal import Decimal

import shop

import served
from ordertrail.actions import deals
from ordertrail.domain import money
from ordertrail.domain import order as rules
from ordertrail.domain.deal import DealChange
from ordertrail.insight import reports
from ordertrail.insight.reports import StageCount, Summary, Takings
from ordertrail.kit.committer import Batch


def summary(platform: served.Served, workspace_id: int = 1) -> Summary:
    return platform.database.read(lambda reader: reports.summary(reader, workspace_id))


def upsert(platform: served.Served, *changes: DealChange, workspace_id: int = 1) -> None:
    commands = [deals.Upsert(change, shop.AUTHOR) for change in changes]
    batch = Batch(workspace_id, shop.NOW, commands)
    platform.database.write(lambda tx: deals.upsert(tx, batch))


def test_an_empty_workspace_has_stages_and_no_numbers(platform: served.Served) -> None:
    found = summary(platform)
    assert (found.orders, found.contacts, found.products, found.money) == (0, 0, 0, ())
    assert [each.count for each in found.deals_by_stage] == [0, 0, 0]
    assert found.events == {} == found.product_events


def test_the_summary_agrees_with_the_orders_that_were_written(platform: served.Served) -> None:
    orders = shop.orders(7)
    shop.fill(platform.database, orders)
    gross = sum(money.amount(rules.gross(order), "PLN") for order in orders)
    refunds = sum(money.amount(rules.refunded(order), "PLN") for order in orders)
    assert summary(platform) == Summary(
        orders=7,
        deals_by_stage=(
            StageCount(1, "New order", 2),
            StageCount(2, "Order fulfilled", 5),
            StageCount(3, "Order cancelled/returned", 0),
        ),
        contacts=2,
        products=2,
        product_events={"order": 14, "purchase": 10},
        events={"purchase_completed": 5},
        money=(Takings("PLN", gross, refunds, gross - refunds),),
    )


def test_money_is_exact_where_floats_are_not(platform: served.Served) -> None:
    big = Decimal("99999999999.99")
    tenths = [DealChange(f"t{n}", value=Decimal("0.1"), currency="USD") for n in range(10)]
    huge = [
        DealChange(f"h{n}", value=big, currency="USD", attributes={"gross_value": big})
        for n in range(30)
    ]
    upsert(platform, *tenths, *huge)
    total = 30 * big + 1
    assert summary(platform).money == (Takings("USD", total, Decimal("0.00"), total),)


def test_more_money_than_64_bits_hold_is_added_up(platform: served.Served) -> None:
    most = Decimal("999999999999.9999")
    upsert(platform, *[DealChange(f"o{n}", value=most, currency="CLF") for n in range(1_000)])
    assert summary(platform).money[0].net == 1_000 * most


def test_currencies_are_never_mixed(platform: served.Served) -> None:
    upsert(
        platform,
        DealChange("a", value=Decimal("10"), currency="JPY"),
        DealChange("b", value=Decimal("10"), currency="EUR"),
        DealChange("c", value=Decimal("1.005"), currency="KWD"),
    )
    assert [(each.currency, str(each.net)) for each in summary(platform).money] == [
        ("EUR", "10.00"),
        ("JPY", "10"),
        ("KWD", "1.005"),
    ]


def test_a_gross_value_that_is_no_number_counts_as_the_value(platform: served.Served) -> None:
    for name, sent in enumerate(["many", None, [1], {"a": 1}, True, Decimal("1e30")]):
        change = DealChange(str(name), value=Decimal("5"), attributes={"gross_value": sent})
        upsert(platform, change)
    text = DealChange("text", value=Decimal("5"), attributes={"gross_value": "7.50"})
    upsert(platform, text)
    [takings] = summary(platform).money
    assert (takings.gross, takings.net) == (Decimal("37.50"), Decimal("35.00"))


def test_a_workspace_counts_its_own_alone(platform: served.Served) -> None:
    platform.new_workspace(2)
    shop.fill(platform.database, shop.orders())
    upsert(platform, DealChange("x", value=Decimal("5"), currency="EUR"), workspace_id=2)
    ours, theirs = summary(platform), summary(platform, 2)
    assert (ours.orders, ours.contacts, [each.currency for each in ours.money]) == (3, 2, ["PLN"])
    assert (theirs.orders, theirs.contacts, theirs.events) == (1, 0, {})
    assert replace(theirs.money[0], gross=Decimal(0)) == Takings(
        "EUR", Decimal(0), Decimal(0), Decimal("5.00")
    )
