"""`ordertrail verify`: the shop's truth against the destination, and mending what differs."""

from itertools import count

from ran import Shop, order, run

from live import PUBLIC, Answer, hosted

FAST = ("--limit-rate", "0")


def synced(shop: Shop, orders: int = 4) -> Shop:
    file = shop.file(*(order(n) for n in range(orders)))
    assert shop.run("sync", file, *FAST).code == 0
    return shop


def test_what_was_delivered_does_not_differ(shop: Shop) -> None:
    ran = synced(shop).run("verify")
    assert (ran.code, ran.out, ran.err) == (0, "4 orders: 0 differ\n", "")


def test_nor_does_it_at_an_endpoint_with_the_public_api_alone(shop: Shop) -> None:
    shop.platform.before.append(hosted)
    assert synced(shop).run("verify", *FAST).out == "4 orders: 0 differ\n"


def test_fields_lines_and_links_that_differ_are_told_and_mended(shop: Shop) -> None:
    synced(shop)
    shop.platform.change("UPDATE deals SET value_minor = 1 WHERE custom_id = 'ORD-1'")
    deal = {"custom_id": "ORD-2", "name": "Order #ORD-2", "products_custom_id": ["LAMP"]}
    shop.platform.post(f"{PUBLIC}/deals/update_or_create/", {**deal, "order_products": []})
    ran = shop.run("verify")
    assert ran.code == 2
    assert "4 orders: 2 differ" in ran.out
    assert 'ORD-1: field differs: value should be 32.00, is "0.01"' in ran.out
    assert "verify --fix" in ran.err
    told = shop.run("verify", "--json").json
    assert told["drift"] == {"field differs": 1, "lines differ": 1, "product link missing": 1}
    assert told["drifted_orders"] == ["ORD-1", "ORD-2"]
    mended = shop.run("verify", "--fix", "--json")
    assert (mended.code, mended.json["mended"], mended.json["drift"]) == (0, 2, {})
    assert shop.run("verify").code == 0


def test_events_that_are_not_there_are_told_and_made_again(shop: Shop) -> None:
    synced(shop)
    shop.platform.change("DELETE FROM product_events WHERE custom_data LIKE '%\"ORD-3\"%'")
    shop.platform.change("DELETE FROM events WHERE data LIKE '%\"ORD-1\"%'")
    told = shop.run("verify", *FAST, "--json").json
    assert told["drift"] == {"event missing": 1, "product event missing": 4}
    mended = shop.run("verify", *FAST, "--fix")
    assert mended.code == 0
    assert mended.out.startswith("2 orders were said again; looked at once more:\n4 orders: 0")


def test_an_event_that_is_there_twice_is_told_and_has_to_be_deleted_by_hand(shop: Shop) -> None:
    synced(shop)
    calls = run("explain", shop.file(order(1)), "--json").lines[0]["calls"]
    for each in calls[2], calls[-1]:
        shop.platform.post(each["path"], each["body"])
    ran = shop.run("verify", *FAST, "--fix")
    assert ran.code == 2
    assert "ORD-1: event twice: purchase_completed should be 1, is 2" in ran.out
    assert "ORD-1: product event twice: order of LAMP should be 1, is 2" in ran.out
    assert "has to be deleted there by hand" in ran.err


def test_an_endpoint_that_lost_everything_is_told_and_mended(shop: Shop) -> None:
    synced(shop, 3)
    for table in ("order_products", "events", "product_events", "deal_products", "deals"):
        shop.platform.change(f"DELETE FROM {table}")
    told = shop.run("verify", *FAST, "--json").json
    assert told["drift"]["deal missing"] == 3
    assert shop.run("verify", *FAST, "--fix").code == 0


def test_the_latest_snapshots_of_a_file_are_the_truth_that_is_asked_for(shop: Shop) -> None:
    synced(shop)
    same = shop.file(*(order(n) for n in range(3)))
    assert shop.run("verify", same).out == "3 orders: 0 differ\n"
    grown = order(1, lines=[{"sku": "LAMP", "quantity": 3, "unit_price": "12.50"}])
    ran = shop.run("verify", shop.file(order(1), grown, order(7)), "--json")
    assert ran.code == 2
    assert ran.json["drifted_orders"] == ["ORD-1", "ORD-7"]
    assert ran.json["drift"]["deal missing"] == 1
    assert shop.look("status", "--json").json["destinations"][0]["accepted"] == 27
    assert shop.run("verify", shop.file(order(1), grown, order(7)), "--fix").code == 0
    assert shop.run("verify").out == "5 orders: 0 differ\n"


def test_a_file_is_verified_without_any_outbox_and_none_is_made(shop: Shop) -> None:
    ran = shop.run("verify", shop.file(order(1)))
    assert (ran.code, "deal missing: 1" in ran.out) == (2, True)
    assert not shop.outbox.exists()
    nothing = shop.run("verify")
    assert (nothing.code, "name a FILE to verify" in nothing.err) == (2, True)
    assert not shop.outbox.exists()


def test_what_cannot_be_read_or_true_is_told_and_is_not_clean(shop: Shop) -> None:
    synced(shop)
    never_true = order(9, currency="XXQ")
    ran = shop.run("verify", shop.file(order(1), "wrong", never_true))
    assert (ran.code, "1 order: 0 differ" in ran.out) == (2, True)
    assert "cannot be true: order ORD-9: currency" in ran.err
    assert "rejected: orders.jsonl line 2" in ran.err


def test_in_the_simple_flow_what_was_said_once_is_the_truth(shop: Shop) -> None:
    once = ("--flow", "simple")
    assert shop.run("sync", shop.file(order(1)), *once).code == 0
    later = order(1, lines=[{"sku": "LAMP", "quantity": 1, "unit_price": "1"}])
    cancelled = order(1, cancelled_at="2026-04-01T00:00:00Z", fulfilled_at=None)
    for each in (later, cancelled):
        assert shop.run("sync", shop.file(each), *once).code == 0
        assert shop.run("verify", *once).out == "1 order: 0 differ\n"
        assert shop.run("verify", shop.file(each), *once).out == "1 order: 0 differ\n"


def test_a_sample_is_so_many_orders(shop: Shop) -> None:
    synced(shop, 9)
    assert shop.run("verify", "--sample", "4").out == "4 orders: 0 differ\n"
    shop.platform.change("UPDATE deals SET value_minor = 1")
    ran = shop.run("verify", "--sample", "2", "--fix", "--json").json
    assert (ran["orders"], ran["mended"], ran["drifted"]) == (2, 2, 0)
    assert shop.run("verify", "--json").json["drifted"] == 7


def test_it_goes_on_through_an_endpoint_that_is_busy_or_fails_at_times(shop: Shop) -> None:
    synced(shop)
    numbers = count()

    def at_times(method: str, path: str) -> Answer | None:
        if not path.startswith(PUBLIC):
            return None
        number = next(numbers)
        status = 429 if number == 14 else {3: 500, 6: 503, 8: 502}.get(number % 10)
        return None if status is None else Answer(status, {}, {"retry-after": "0"})

    shop.platform.before.append(at_times)
    assert shop.run("verify").out == "4 orders: 0 differ\n"


def test_a_contact_that_has_more_events_than_are_read_is_not_called_right(shop: Shop) -> None:
    synced(shop, 1)
    endless = {"next": f"http://x{PUBLIC}/users-by-id/x/events/?cursor=1", "results": []}

    def without_end(method: str, path: str) -> Answer | None:
        is_timeline = path.endswith("/events/") and method == "GET"
        return Answer(200, endless) if is_timeline else None

    shop.platform.before.append(without_end)
    ran = shop.run("verify")
    assert (ran.code, "1 other could not be looked at" in ran.out) == (2, True)
    assert "order ORD-0: the list has more than 200 pages" in ran.err


def test_a_key_that_is_refused_and_a_shop_that_is_not_known_end_it(shop: Shop) -> None:
    synced(shop)
    assert shop.run("verify", token="f" * 64).code == 77
    ran = shop.run("verify", "--source", "elsewhere")
    assert (ran.code, "say one of: shop" in ran.err) == (2, True)
    writing = shop.run("verify", token=shop.platform.new_token("write"))
    assert (writing.code, "scope 'read'" in writing.err) == (77, True)
