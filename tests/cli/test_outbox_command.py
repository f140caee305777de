"""`ordertrail outbox …`: what the outbox holds, and working on it."""

import json
import os
import signal
import subprocess
import sys

import pytest
from ran import Shop, order, run

from live import PUBLIC, Answer, hosted
from ordertrail.sync.outbox import Route, open_outbox
from ordertrail.sync.rules import Flow
from ordertrail.sync.shops import canonical

DEALS = f"{PUBLIC}/deals/update_or_create/"
COMMAND = [sys.executable, "-m", "ordertrail"]


def refused(method: str, path: str) -> Answer | None:
    return Answer(400, {"detail": "Not this deal."}) if path == DEALS else None


@pytest.fixture
def parked(shop: Shop) -> Shop:
    """A shop with two orders whose deals are refused, and one that cannot be true."""
    shop.platform.before += [hosted, refused]
    never_true = order(3, lines=[{"sku": "A", "quantity": -1, "unit_price": "1"}])
    assert (
        shop.run("sync", shop.file(order(1), order(2), never_true), "--limit-rate", "0").code == 2
    )
    return shop


def test_the_states_add_up_to_what_was_accepted(parked: Shop) -> None:
    told = parked.look("status", "--json").json
    [found] = told["destinations"]
    states = [found[name] for name in ("waiting", "leased", "done", "parked")]
    assert sum(states) == found["accepted"] == 14
    assert (found["done"], found["parked"], found["quarantined"]) == (2, 12, 1)
    assert found["destination"] == parked.platform.url
    shown = parked.look("status")
    assert "14 calls accepted = 2 done, 0 waiting, 0 leased, 12 parked" in shown.out
    assert "1 order quarantined" in shown.out


def test_calls_and_orders_in_quarantine_are_listed_with_their_reasons(parked: Shop) -> None:
    shown = parked.look("list")
    assert "Not this deal." in shown.out
    assert "lines[0].quantity: must be above zero" in shown.out
    everything = parked.look("list", "--json").lines
    assert {each["state"] for each in everything} == {"parked", "quarantined"}
    deals = parked.look("list", "--json", "--kind", "deal", "--state", "parked").lines
    assert parked.ids(deals) == ["ORD-1", "ORD-2"]
    assert parked.ids(parked.look("list", "--json", "--kind", "deal", "--limit", "1").lines)[0]
    one = parked.look("list", "--json", "--order", "ORD-2", "--reason", "Not this").lines
    assert [each["kind"] for each in one] == ["deal"]
    assert len(parked.look("list", "--json", "--state", "done").lines) == 2
    assert parked.look("list", "--json", "--source", "nobody").lines == []


def test_no_list_shows_who_ordered(parked: Shop) -> None:
    for words in (["list"], ["list", "--json"], ["list", "--state", "done"], ["status"]):
        ran = parked.look(*words)
        assert "example.com" not in ran.out + ran.err
        assert parked.platform.token not in ran.out + ran.err


def test_an_order_is_shown_with_its_snapshot_and_its_calls(parked: Shop) -> None:
    shown = parked.look("show", "ORD-1")
    assert shown.code == 0
    assert "p1@example.com" in shown.out
    assert "Not this deal." in shown.out
    told = parked.look("show", "ORD-1", "--json").json
    assert told["order"]["lines"][0]["sku"] == "LAMP"
    assert told["operations"][1]["body"]["value"] == 32
    missing = parked.look("show", "ORD-77")
    assert missing.code == 2
    assert "the outbox has no order 'ORD-77'" in missing.err
    assert "was never good: lines[0].quantity" in parked.look("show", "ORD-3").err


def test_parked_calls_wait_again_and_are_delivered(parked: Shop) -> None:
    dry = parked.look("retry", "--kind", "deal", "--dry-run")
    assert "2 calls would wait again" in dry.out
    assert parked.look("status", "--json").json["destinations"][0]["parked"] == 12
    assert "12 calls wait again" in parked.look("retry").out
    parked.platform.before.remove(refused)
    ran = parked.run("outbox deliver", "--once", "--limit-rate", "0")
    assert ran.code == 0
    assert "12 calls delivered" in ran.out
    assert "2 orders: 0 differ" in parked.run("verify", "--limit-rate", "0").out


def test_a_parked_call_is_edited_by_a_body_a_file_or_an_editor(
    parked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = parked.look("list", "--json", "--kind", "deal").lines
    first, second = (str(each["id"]) for each in deals)
    body = {"custom_id": "ORD-1", "name": "Mended"}
    ran = parked.look("edit", first, "--body", json.dumps(body))
    assert (ran.code, ran.out) == (0, f"operation {first} says that now, and waits again\n")
    again = parked.look("edit", first, "--body", "{}")
    assert again.code == 2
    assert "only a parked one is edited" in again.err
    editor = parked.folder / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/Order #ORD-2/By hand/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("ORDERTRAIL_EDITOR", str(editor))
    assert parked.look("edit", second).code == 0
    said = parked.look("show", "ORD-2", "--json").json["operations"][1]
    assert (said["state"], said["body"]["name"], said["body"]["value"]) == (
        "waiting",
        "By hand",
        32,
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{", "is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"foo": 1}', "custom_id: must stay"),
        ("@nowhere.json", "nowhere.json cannot be read"),
    ],
)
def test_a_body_that_is_none_changes_nothing(parked: Shop, body: str, told: str) -> None:
    deal = parked.look("list", "--json", "--kind", "deal").lines[0]
    ran = parked.look("edit", str(deal["id"]), "--body", body)
    assert ran.code == 2
    assert told in ran.err
    assert parked.look("list", "--json", "--kind", "deal").lines[0] == deal


def test_an_editor_that_is_not_there_is_said(parked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERTRAIL_EDITOR", "/nowhere/editor")
    deal = parked.look("list", "--json", "--kind", "deal").lines[0]
    ran = parked.look("edit", str(deal["id"]))
    assert (ran.code, "--body gives it" in ran.err) == (2, True)
    assert "there is no operation 9999" in parked.look("edit", "9999", "--body", "{}").err


def test_orders_are_said_again_and_nothing_is_there_twice(shop: Shop) -> None:
    file = shop.file(*(order(n) for n in range(4)))
    assert shop.run("sync", file, "--limit-rate", "0").code == 0
    assert "say --all, or --order" in shop.look("replay").err
    assert (
        "1 orders would be said again" in shop.look("replay", "--order", "ORD-1", "--dry-run").out
    )
    assert "4 orders would be said again" in shop.look("replay", "--all", "--dry-run").out
    assert "4 orders: 28 calls wait" in shop.look("replay", "--all").out
    assert shop.run("outbox deliver", "--once", "--limit-rate", "0").code == 0
    assert shop.run("verify", "--limit-rate", "0").code == 0
    missing = shop.look("replay", "--order", "ORD-9")
    assert (missing.code, "has no order 'ORD-9'" in missing.err) == (2, True)


def test_what_was_done_long_ago_is_forgotten_and_still_counted(shop: Shop) -> None:
    assert shop.run("sync", shop.file(order(1))).code == 0
    assert "0 calls" in shop.look("prune", "--older-than", "30d").out
    assert "7 calls that were done are forgotten" in shop.look("prune", "--older-than", "0d").out
    [found] = shop.look("status", "--json").json["destinations"]
    assert (found["accepted"], found["done"]) == (7, 7)
    assert shop.look("prune", "--older-than", "soon").code == 2
    assert shop.run("sync", shop.file(order(1)), "--json").json["delivered"] == {}


def test_of_several_destinations_one_is_named(shop: Shop) -> None:
    parsed = canonical.decode(order(1))
    with open_outbox(shop.outbox) as outbox:
        for host in ("https://a.example", "https://b.example"):
            outbox.accept(Route("shop", host), Flow(), [parsed])
    unnamed = shop.look("list")
    assert unnamed.code == 2
    assert "say one of: https://a.example, https://b.example" in unnamed.err
    named = shop.look("list", "--destination", "https://b.example/", "--json")
    assert len(named.lines) == 7
    assert "2 destinations" in shop.look("status").out


def test_looking_at_an_outbox_that_is_not_there_makes_none(shop: Shop) -> None:
    for where in (str(shop.outbox), f"sqlite:///{shop.outbox}"):
        ran = run("outbox", "status", "--outbox", where)
        assert ran.code == 2
        assert "--outbox or ORDERTRAIL_OUTBOX names another one" in ran.err
    assert not shop.outbox.exists()
    assert "is not one of: waiting" in _list_of(shop, "--state", "lost")
    assert "is not one of: contact" in _list_of(shop, "--kind", "lost")


def _list_of(shop: Shop, *words: str) -> str:
    shop.run("sync", shop.file(order(1)))
    return shop.look("list", *words).err


def test_a_worker_delivers_what_others_accept_until_it_is_told_to_stop(shop: Shop) -> None:
    parsed = canonical.decode(order(1))
    with open_outbox(shop.outbox) as outbox:
        outbox.accept(Route("shop", shop.platform.url), Flow(), [parsed])
        words = ["outbox", "deliver", "--outbox", str(shop.outbox), "--to", shop.platform.url]
        with subprocess.Popen(
            [*COMMAND, *words],
            env={**os.environ, "ORDERTRAIL_TOKEN": shop.platform.token},
            stdout=subprocess.PIPE,
            text=True,
        ) as worker:
            assert worker.stdout
            assert "Ctrl-C stops it" in worker.stdout.readline()
            while outbox.counts(shop.platform.url).done < 7:
                assert worker.poll() is None
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
