"""`ordertrail sync` over again: every format twice, stopped in the middle, and mended orders."""

import os
import signal
import subprocess
import sys

import pytest
from ran import Shop, order

from ordertrail.sync.outbox import open_outbox
from retail_file import write_shop

COMMAND = [sys.executable, "-m", "ordertrail"]
CSV = """order_id,placed_at,currency,sku,quantity,unit_price,email,fulfilled_at
C-1,2026-03-01T10:00:00Z,EUR,LAMP,2,19.90,ann@example.com,2026-03-02T08:00:00Z
C-2,2026-03-01T11:00:00Z,EUR,LAMP,1,19.90,,
C-1,,,BULB,4,2.50,,
C-3,2026-03-01T12:00:00Z,EUR,,1,5,,
"""


def file_of(form: str, shop: Shop) -> str:
    """Three orders in a format."""
    if form == "jsonl":
        return shop.file(*(order(n) for n in range(3)))
    path = shop.folder / f"{form}.csv"
    if form == "online-retail":
        return str(write_shop(path, orders=3))
    path.write_text(CSV)
    return str(path)


def held(shop: Shop, table: str) -> list[list[str]]:
    """What stands in a table of the platform."""
    query = f"SELECT json_group_array(json_array({{}})) FROM {table}"
    columns = {"journal": "subject, origin", "events": "data, origin", "deals": "custom_id"}
    return shop.platform.database.read(lambda reader: reader.rows(query.format(columns[table])))


@pytest.mark.parametrize("form", ["jsonl", "csv", "online-retail"])
def test_of_every_format_a_second_run_changes_nothing(form: str, shop: Shop) -> None:
    file = file_of(form, shop)
    first = shop.run("sync", file, "--json")
    assert (first.code, first.json["orders"], first.json["changed"]) == (0, 3, 3)
    assert first.json["delivered"] == first.json["planned"]
    writes = len(shop.platform.writes)
    second = shop.run("sync", file, "--json")
    assert (second.code, second.json["unchanged"], second.json["planned"]) == (0, 3, {})
    assert len(shop.platform.writes) == writes
    assert len(held(shop, "deals")) == 3


@pytest.mark.parametrize("origin", ["backfill", "live", "replay"])
def test_the_origin_is_kept_in_the_journal_and_with_the_events(origin: str, shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1)), "--origin", origin).code == 0
    assert {row[1] for row in held(shop, "journal") if row[0] == "deal"} == {origin}
    assert {row[1] for row in held(shop, "events")} == {origin}


def test_an_older_snapshot_is_counted_and_ignored(shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1, version=2))).code == 0
    late = shop.run("sync", shop.file(order(1, version=1, fulfilled_at=None)), "--json")
    assert (late.code, late.json["older"], late.json["changed"]) == (0, 1, 0)
    assert "1 older snapshots came after it and were ignored" in shop.look("show", "ORD-1").out


# ---- orders that could not be read, but named ----


def test_an_unreadable_order_with_an_id_is_in_quarantine_until_it_is_good(shop: Shop) -> None:
    unreadable = order(1, placed_at="soon")
    ran = shop.run("sync", shop.file(unreadable, "no JSON", order(2)))
    assert (ran.code, "0 quarantined, 2 rejected" in ran.out) == (2, True)
    assert "quarantined" not in ran.err
    assert ran.err.count("orders.jsonl line 1: placed_at") == 1
    [kept] = shop.look("list", "--json", "--state", "quarantined").lines
    assert (kept["order_id"], kept["source"]) == ("ORD-1", "shop")
    assert kept["reason"].startswith("orders.jsonl line 1: placed_at")
    mended = shop.run("sync", shop.file(order(1), order(2)), "--json")
    assert (mended.code, mended.json["changed"], mended.json["quarantined_because"]) == (0, 1, [])
    assert shop.look("list", "--json", "--state", "quarantined").lines == []


@pytest.mark.parametrize("is_good_last", [True, False])
def test_of_an_unreadable_and_a_good_line_of_an_order_the_later_counts(
    is_good_last: bool, shop: Shop
) -> None:
    lines = [order(1, placed_at="soon"), order(1)]
    ran = shop.run("sync", shop.file(*(lines if is_good_last else lines[::-1])), "--json")
    assert (ran.json["orders"], ran.json["changed"], ran.json["rejected"]) == (2, 1, 1)
    kept = shop.look("list", "--json", "--state", "quarantined").lines
    assert [each["order_id"] for each in kept] == ([] if is_good_last else ["ORD-1"])


def test_what_is_in_quarantine_from_before_is_told_by_every_run(shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1, placed_at="soon"))).code == 2
    ran = shop.run("sync", shop.file(order(2)))
    assert ran.code == 0
    assert "quarantined: order ORD-1: orders.jsonl line 1: placed_at" in ran.err


def test_verify_looks_at_the_last_good_snapshot_and_is_not_clean_while_one_is_not(
    shop: Shop,
) -> None:
    assert shop.run("sync", shop.file(order(1), order(2))).code == 0
    assert shop.run("sync", shop.file(order(1, currency="XXQ"))).code == 2
    ran = shop.run("verify")
    assert (ran.code, "2 orders: 0 differ" in ran.out) == (2, True)
    assert "cannot be true: order ORD-1: currency" in ran.err
    assert shop.run("verify", "--json").json["cannot_be_true"] == 1
    assert shop.run("sync", shop.file(order(1))).code == 0
    assert shop.run("verify").code == 0


def test_an_order_is_shown_without_what_it_does_not_say(shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1))).code == 0
    shown = shop.look("show", "ORD-1").out
    assert 'customer: {"email":"p1@example.com","first_name":"Ada"}' in shown
    assert "null" not in shown


def test_a_file_that_is_not_there_is_told_before_anybody_is_asked(shop: Shop) -> None:
    for command in ("sync", "verify"):
        ran = shop.run(command, str(shop.folder / "nowhere.jsonl"))
        assert (ran.code, ran.err) == (
            2,
            "ordertrail: nowhere.jsonl: cannot be read: No such file or directory\n",
        )
        assert "it is a folder" in shop.run(command, str(shop.folder), "--format", "jsonl").err
    assert shop.platform.asked == []
    assert not shop.outbox.exists()


# ---- stopped, and gone on ----


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_so_and_the_next_run_goes_on(how: signal.Signals, shop: Shop) -> None:
    file = shop.file(*(order(n) for n in range(40)))
    words = ["--limit-rate", "20", "--to", shop.platform.url, "--outbox", str(shop.outbox)]
    with (
        open_outbox(shop.outbox) as outbox,
        subprocess.Popen(
            [*COMMAND, "sync", file, *words],
            env={**os.environ, "ORDERTRAIL_TOKEN": shop.platform.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running,
    ):
        while not any(outbox.counts(each).done for each in outbox.destinations()):
            assert running.poll() is None
        running.send_signal(how)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert f"What is not delivered waits in {shop.outbox}; run the same again." in said
    assert "Traceback" not in said
    [left] = shop.look("status", "--json").json["destinations"]
    assert left["done"] < left["accepted"]
    done = shop.run("sync", file, "--json").json
    assert (done["orders"], done["waiting"], done["parked"]) == (40, 0, 0)
    [there] = shop.look("status", "--json").json["destinations"]
    assert there["accepted"] == there["done"]
    assert len(held(shop, "events")) == 40
    assert shop.run("verify").code == 0
