"""`ordertrail explain`: the exact calls of an order, without a network and without an outbox."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from ran import Shop, order, run

from live import Live, live


def write(folder: Path, *orders: object) -> str:
    path = folder / "orders.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in orders))
    return str(path)


def test_the_first_order_is_explained_call_by_call_in_order(tmp_path: Path) -> None:
    ran = run("explain", write(tmp_path, order(1), order(2)))
    assert ran.code == 0
    assert ran.out.startswith("order ORD-1: 7 calls\n")
    assert "1. POST /api/public/users/update_or_create/" in ran.out
    assert "7. POST /api/public/users-by-id/" in ran.out
    assert "key shop:ORD-1:purchase_completed" in ran.out
    assert "ORD-2" not in ran.out
    assert list(tmp_path.iterdir()) == [tmp_path / "orders.jsonl"]


def test_another_order_is_explained_by_its_id_and_more_by_a_limit(tmp_path: Path) -> None:
    file = write(tmp_path, *(order(n) for n in range(5)))
    assert run("explain", file, "--order", "ORD-3").out.startswith("order ORD-3: 7 calls")
    told = run("explain", file, "--limit", "3", "--json").lines
    assert [each["order"] for each in told] == ["ORD-0", "ORD-1", "ORD-2"]
    kinds = [call["kind"] for call in told[0]["calls"]]
    assert kinds == ["contact", "deal", *["product_event"] * 4, "conversion"]
    missing = run("explain", file, "--order", "ORD-9")
    assert missing.code == 2
    assert "orders.jsonl has no order 'ORD-9'" in missing.err


def test_the_flow_and_its_settings_decide_what_is_said(tmp_path: Path) -> None:
    config = tmp_path / "flow.toml"
    config.write_text('name = "simple"\n[stages]\nplaced = 13\nfulfilled = 12\ncancelled = 14\n')
    file = write(tmp_path, order(1))
    deal = run("explain", file, "--config", str(config), "--json").lines[0]["calls"][1]
    assert deal["body"]["stage"] == 13
    words = ["--config", str(config), "--sync-point", "fulfilled", "--stages", "1,5,9"]
    deal = run("explain", file, *words, "--json").lines[0]["calls"][1]
    assert deal["body"]["stage"] == 5


def test_an_order_that_causes_nothing_says_why(tmp_path: Path) -> None:
    waits = order(1, fulfilled_at=None)
    ran = run("explain", write(tmp_path, waits), "--flow", "simple", "--sync-point", "fulfilled")
    assert ran.code == 0
    assert "the simple flow says nothing of it" in ran.out
    ran = run("explain", write(tmp_path, order(1, currency="XXQ")))
    assert ran.code == 2
    assert "is not an ISO 4217 currency code" in ran.out
    ran = run("explain", write(tmp_path, {"id": "X"}))
    assert ran.code == 2
    assert "rejected: orders.jsonl line 1" in ran.err


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory):
    with live(tmp_path_factory.mktemp("platform")) as found:
        yield found


def test_as_curl_the_calls_can_be_made_by_a_shell_and_then_a_sync_finds_all_there(
    tmp_path: Path, platform: Live
) -> None:
    file = write(tmp_path, order(1))
    script = run("explain", file, "--curl", "--to", platform.url).out
    assert platform.token not in script
    made = subprocess.run(
        ["bash", "-e"],
        input=script.replace("curl -X", "curl -sS --fail -X"),
        env={**os.environ, "ORDERTRAIL_TOKEN": platform.token},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    ran = Shop(tmp_path, platform).run("verify", file)
    assert (ran.code, ran.out) == (0, "1 order: 0 differ\n")
