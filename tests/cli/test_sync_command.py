"""`ordertrail sync`: what it delivers, counts, says and leaves, and the exit code it ends with."""

import json
from pathlib import Path

import pytest
from ran import Shop, order, run

from live import PUBLIC, Answer, hosted

GOOD = [order(n) for n in range(6)]
STAGES = f"{PUBLIC}/stages/"


def test_a_file_is_delivered_and_a_second_run_makes_no_call(shop: Shop) -> None:
    file = shop.file(*GOOD)
    first = shop.run("sync", file)
    assert first.code == 0
    assert "6 orders: 6 changed, 0 unchanged" in first.out
    assert "0 waiting, 0 parked" in first.out
    assert "an Ordertrail platform, stages of pipeline 1, no limit" in first.err
    before = len(shop.platform.writes)
    again = shop.run("sync", file, "--json")
    assert (again.code, again.json["unchanged"], again.json["delivered"]) == (0, 6, {})
    assert len(shop.platform.writes) == before


def test_what_is_no_order_is_counted_and_said_with_its_place_and_the_others_go_on(
    shop: Shop,
) -> None:
    never_true = order(2, lines=[{"sku": "A", "quantity": -1, "unit_price": "1"}])
    file = shop.file(order(1), "no json", '{"id": "X"}', never_true, order(3))
    ran = shop.run("sync", file)
    assert ran.code == 2
    assert "2 changed" in ran.out
    assert "1 quarantined, 2 rejected" in ran.out
    assert "rejected: orders.jsonl line 2: is not JSON" in ran.err
    assert "rejected: orders.jsonl line 3" in ran.err
    assert "quarantined: order ORD-2: lines[0].quantity" in ran.err
    told = shop.run("sync", file, "--json").json
    assert len(told["rejected_because"]) == told["rejected"] == 2
    assert told["rows"]["read"] == 5


def test_of_many_rejected_ten_are_shown_and_all_are_in_the_json(shop: Shop) -> None:
    file = shop.file(*(f"wrong {n}" for n in range(30)))
    ran = shop.run("sync", file)
    assert ran.err.count("rejected: ") == 10
    assert len(shop.run("sync", file, "--json").json["rejected_because"]) == 30


def test_strict_stops_at_the_first_that_is_wrong_and_names_its_place(shop: Shop) -> None:
    ran = shop.run("sync", shop.file(order(1), "wrong", order(3)), "--strict")
    assert ran.code == 2
    assert "orders.jsonl line 2" in ran.err


def test_a_file_is_history_unless_told_otherwise(shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1))).code == 0
    assert shop.platform.origins == {"backfill"}
    shop.platform.origins.clear()
    assert shop.run("sync", shop.file(order(2)), "--origin", "live").code == 0
    assert shop.platform.origins == {"live"}
    assert "live, backfill, replay" in shop.run("sync", shop.file(order(3)), "--origin", "x").err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stages", "1,2"], "three stage ids"),
        (["--flow", "twisted"], "simple, detailed"),
        (["--sync-point", "x"], "placed, fulfilled"),
        (["--since", "yesterday"], "2026-03-01"),
        (["--timezone", "Mars/Base"], "Europe/London"),
        (["--format", "xml"], "jsonl, csv, online-retail"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--outbox", "mysql://x"], "postgresql://"),
        (["--to", "ftp://x"], "https://acme.user.com"),
    ],
)
def test_what_is_asked_wrongly_is_refused_and_says_what_would_be_right(
    tmp_path: Path, words: list[str], told: str
) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text(json.dumps(order(1)))
    outbox = ["--outbox", str(tmp_path / "o")]
    ran = run("sync", str(file), "--to", "http://127.0.0.1:9", "--token", "t", *outbox, *words)
    assert ran.code == 2
    assert told in ran.err


@pytest.mark.parametrize("command", ["sync orders.jsonl", "verify", "outbox deliver --once"])
def test_an_api_key_is_sent_to_no_endpoint_that_nobody_named(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERTRAIL_URL", raising=False)
    ran = run(*command.split(), "--token", "t")
    assert (ran.code, "give --to, or set ORDERTRAIL_URL" in ran.err) == (2, True)


def test_a_file_that_is_not_there_and_a_format_that_nothing_tells_are_said(shop: Shop) -> None:
    assert "nowhere.jsonl" in shop.run("sync", "nowhere.jsonl").err
    unknown = shop.folder / "orders.dat"
    unknown.write_text("x")
    ran = shop.run("sync", str(unknown))
    assert ran.code == 2
    assert "jsonl, csv, online-retail" in ran.err


def test_a_csv_file_is_read_as_its_name_says(shop: Shop) -> None:
    path = shop.folder / "orders.csv"
    path.write_text(
        "order_id,email,placed_at,currency,sku,quantity,unit_price\n"
        "C-1,ada@example.com,2026-03-01T10:00:00,EUR,LAMP,1,10\n"
        "C-1,ada@example.com,2026-03-01T10:00:00,EUR,VASE,2,3\n"
    )
    assert shop.run("sync", str(path)).code == 2
    ran = shop.run("sync", str(path), "--timezone", "Europe/London", "--json")
    assert (ran.code, ran.json["changed"]) == (0, 1)


def test_since_leaves_out_what_did_not_change(shop: Shop) -> None:
    ran = shop.run("sync", shop.file(*GOOD), "--since", "2026-03-04", "--json")
    assert ran.json["orders"] == 3
    assert ran.json["rows"]["left_out"] == 3


def test_without_a_key_and_with_a_wrong_one_it_says_so_and_accepts_nothing(shop: Shop) -> None:
    ran = run("sync", shop.file(order(1)), "--to", shop.platform.url, "--token", "")
    assert (ran.code, "ORDERTRAIL_TOKEN" in ran.err) == (77, True)
    wrong = "f" * 64
    ran = shop.run("sync", shop.file(order(1)), token=wrong)
    assert ran.code == 77
    assert wrong not in ran.out + ran.err
    assert shop.platform.writes == []


def test_an_endpoint_with_the_public_api_alone_is_synced_with_the_hosted_limit(shop: Shop) -> None:
    shop.platform.before.append(hosted)
    ran = shop.run("sync", shop.file(order(1)), "--limit-rate", "500")
    assert ran.code == 0
    assert "not an Ordertrail platform, stages of pipeline 1, 500 calls a second" in ran.err
    assert "10 calls a second" in shop.run("sync", shop.file(order(1))).err


def test_stages_that_are_not_there_stop_it_before_the_first_write(shop: Shop) -> None:
    ran = shop.run("sync", shop.file(order(1)), "--stages", "13,12,14")
    assert ran.code == 2
    assert "no stage 13" in ran.err
    assert "1 New order" in ran.err
    assert shop.platform.writes == []
    assert shop.run("sync", shop.file(order(1)), "--flow", "simple", "--stages", "1,8,9").code == 0


def test_a_key_that_may_only_write_syncs_with_a_note(shop: Shop) -> None:
    ran = shop.run("sync", shop.file(order(1)), token=shop.platform.new_token("write"))
    assert ran.code == 0
    assert "note: the key may not read: the stages are not checked" in ran.err


def test_without_a_preflight_it_asks_for_nothing_but_who_is_there(shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1)), "--no-preflight").code == 0
    asked = {path for method, path in shop.platform.asked if method == "GET"}
    assert STAGES not in asked


def test_what_the_endpoint_refuses_is_parked_said_and_tried_again_by_the_next_run(
    shop: Shop,
) -> None:
    def no_deals(method: str, path: str) -> Answer | None:
        if path == f"{PUBLIC}/deals/update_or_create/":
            return Answer(400, {"custom_id": ["No such luck."]})
        return None

    shop.platform.before += [hosted, no_deals]
    ran = shop.run("sync", shop.file(order(1), order(2)), "--limit-rate", "0")
    assert ran.code == 2
    assert "parked: 2 calls: " in ran.err
    assert "No such luck." in ran.err
    shop.platform.before.remove(no_deals)
    again = shop.run("sync", shop.file(order(1), order(2)), "--limit-rate", "0", "--json")
    assert (again.code, again.json["parked"], again.json["waiting"]) == (0, 0, 0)


def test_a_dry_run_says_what_would_change_and_leaves_no_trace(shop: Shop) -> None:
    file = shop.file(*GOOD, "wrong")
    ran = shop.run("sync", file, "--dry-run")
    assert ran.code == 2
    assert "7 orders: 6 would change, 0 unchanged, 0 older, 0 quarantined, 1 rejected" in ran.out
    assert "worth in GBP: 0.00 before, 192.00 after" in ran.out
    assert not shop.outbox.exists()
    assert shop.platform.asked == []


def test_a_dry_run_over_a_used_outbox_counts_only_what_is_new(shop: Shop) -> None:
    assert shop.run("sync", shop.file(*GOOD)).code == 0
    before, asked = shop.outbox.read_bytes(), len(shop.platform.asked)
    dearer = order(1, delivery="5")
    dearest = order(1, delivery="6")
    ran = shop.run("sync", shop.file(dearer, *GOOD[2:], dearest, order(9)), "--dry-run", "--json")
    told = ran.json
    assert (ran.code, told["changed"], told["unchanged"]) == (0, 3, 4)
    assert told["worth_before"] == {"GBP": "160.00"}
    assert told["worth_after"] == {"GBP": "198.00"}
    assert told["would_call"]["deal"] == 2
    assert (shop.outbox.read_bytes(), len(shop.platform.asked)) == (before, asked)
    assert shop.look("status", "--json").json["destinations"][0]["waiting"] == 0
