"""A batch is what its operations would be by themselves, in the order given."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

import served
from asgi import Request
from ordertrail.api.batch import BYTES_MAX, PART_MAX
from ordertrail.kit.committer import Batch
from ordertrail.wire.batch import OPERATIONS_MAX
from served import Served, break_deals

BATCH = "/api/ordertrail/v1/batch/"
USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
PRODUCTS = "/api/public/products/"
EVENTS = "/api/public/users-by-id/ada/events/"
PRODUCT_EVENTS = "/api/public/products-by-id/A%2FB/product_event/"


def post(path: str, body: Any, key: str | None = None) -> dict[str, Any]:
    said = {"method": "POST", "path": path, "body": body}
    return said if key is None else {**said, "key": key}


ADA = post(USERS, {"custom_id": "ada", "email": "ada@example.com"})
DEAL = post(DEALS, {"custom_id": "O1", "user_custom_id": "ada", "value": 5, "stage": 1})
BOUGHT = post(PRODUCT_EVENTS, {"user_custom_id": "ada", "event_type": "purchase"}, "k1")
SEEN = post(EVENTS, {"name": "seen", "data": {"n": 1}}, "k2")


def batch(platform: Served, token: str, *operations: Any, **more: Any) -> list[dict[str, Any]]:
    reply = platform.call(token, "POST", BATCH, {"operations": list(operations)}, **more)
    assert reply.status == 200, reply.text
    return list(reply.json["results"])


def test_what_stands_on_one_another_is_carried_out_in_order(platform: Served, token: str) -> None:
    results = batch(platform, token, ADA, DEAL, BOUGHT, SEEN)
    assert [each["status"] for each in results] == [200, 200, 201, 201]
    assert results[0]["body"] == {"created": True, "id": 1}
    assert results[1]["body"]["value"] == "5.00"
    assert results[3]["body"]["created"] is True
    product = platform.call(token, "GET", "/api/public/products-by-id/A%2FB/details/").json
    assert product["event_counts"] == {"purchase": 1}


def test_each_is_answered_as_it_would_be_by_itself(platform: Served, token: str) -> None:
    other = platform.new_token()
    operations = [ADA, DEAL, post(DEALS, {"custom_id": "O2", "user_custom_id": "nobody"}), SEEN]
    together = batch(platform, token, *operations)
    for said, told in zip(operations, together, strict=True):
        alone = platform.call(other, "POST", said["path"], said["body"])
        assert alone.status == told["status"]
        assert alone.json.keys() == told["body"].keys()


BAD = [
    (400, post(DEALS, {"custom_id": "O9", "stage": 99})),
    (400, post(EVENTS, {})),
    (400, post(DEALS, {"value": "a lot"})),
    (400, post(USERS, {"custom_id": "nul\0"})),
    (400, post(USERS, {"custom_id": "n", "number": 10**30})),
    (400, post(EVENTS, {"name": "seen", "data": json.loads("[" * 40 + "]" * 40)})),
    (400, post("/api/public/users-by-id/a%00b/events/", {"name": "seen"})),
    (404, post("/api/public/users-by-id/nobody/events/", {"name": "seen"})),
    (404, post("/api/public/nowhere/", {})),
    (404, post("", {})),
    (404, post("https://shop.test" + USERS, {"custom_id": "n"})),
    (404, post(BATCH, {"operations": [ADA]})),
    (405, {"method": "GET", "path": "/api/public/users-by-id/ada/", "body": {}}),
    (405, {"method": "GET", "path": EVENTS, "body": {}}),
    (405, {"method": "post", "path": USERS, "body": {"custom_id": "n"}}),
    (400, post(USERS, [])),
    (400, post(USERS, None)),
    (400, {"path": USERS}),
    (400, {"body": {"custom_id": "n"}}),
    (400, {"method": 1, "path": USERS, "body": {"custom_id": "n"}}),
    (400, {"path": [USERS], "body": {"custom_id": "n"}}),
    (400, 7),
    (400, None),
    (400, []),
    *(
        (400, {"path": EVENTS, "body": {"name": "seen"}, "key": key})
        for key in ("", "k" * 256, "kö", "a\nb", "a\0b", 1.5, True, {}, [])
    ),
]


@pytest.mark.parametrize(("status", "bad"), BAD)
def test_a_refused_operation_leaves_its_neighbours_alone(
    platform: Served, token: str, status: int, bad: Any
) -> None:
    results = batch(platform, token, ADA, DEAL, bad, SEEN, BOUGHT)
    assert [each["status"] for each in results] == [200, 200, status, 201, 201]
    assert results[2]["body"]["detail"]
    assert platform.counts()["contacts"] == 1


def test_all_that_is_bad_at_once_is_told_apart(platform: Served, token: str) -> None:
    results = batch(platform, token, *(bad for _, bad in BAD))
    assert [each["status"] for each in results] == [status for status, _ in BAD]


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\x80"])
def test_what_is_no_text_spoils_its_own_operation_alone(
    platform: Served, token: str, text: bytes
) -> None:
    bad = b'{"path": "%s", "body": {"custom_id": "%s"}}' % (USERS.encode(), text)
    body = b'{"operations": [%s, %s]}' % (bad, json.dumps(ADA).encode())
    reply = platform.call(token, "POST", BATCH, body=body)
    assert [each["status"] for each in reply.json["results"]] == [400, 200]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"operations": [{]}',
        b"[" * 100_000,
        b'{"operations": [1]} 2',
        b"\xff",
        b'{"operations": ["\\ud800"]}',
    ],
)
def test_what_is_no_json_is_refused(platform: Served, token: str, raw: bytes) -> None:
    assert platform.call(token, "POST", BATCH, body=raw).status == 400


def test_a_key_that_only_reads_writes_no_batch(platform: Served) -> None:
    reader = platform.new_token("read")
    assert platform.call(reader, "POST", BATCH, {"operations": [ADA]}).status == 403
    assert platform.counts()["contacts"] == 0


def test_a_number_of_another_workspace_names_nothing(platform: Served, token: str) -> None:
    platform.new_workspace(2)
    stranger = platform.new_token(workspace_id=2)
    batch(platform, token, ADA, DEAL)
    asked = [
        post(DEALS, {"custom_id": "theirs", "user_id": 1}),
        post(PRODUCT_EVENTS, {"user_id": 1, "event_type": "purchase"}),
        ADA,
    ]
    assert [each["status"] for each in batch(platform, stranger, *asked)] == [404, 404, 200]


def test_one_fault_of_the_server_is_answered_where_it_happened(
    platform: Served, token: str
) -> None:
    break_deals(platform, "O7")
    asked = [post(DEALS, {"custom_id": f"O{n}"}) for n in range(10)]
    statuses = [each["status"] for each in batch(platform, token, ADA, *asked, SEEN)]
    assert statuses == [200, *(500 if n == 7 else 200 for n in range(10)), 201]


def test_what_stands_behind_a_write_that_must_wait_waits_too(tmp_path: Path) -> None:
    with served.serve(tmp_path, waiting_max=4) as crowded:
        committer, token = crowded.running.committer, crowded.new_token()
        held, go_on = threading.Event(), threading.Event()

        def hold(tx: object, batch: Batch[None]) -> list[None]:
            held.set()
            assert go_on.wait(10)
            return [None] * len(batch.commands)

        holding = threading.Thread(target=committer.commit_and_wait, args=(1, hold, [None]))
        holding.start()
        assert held.wait(10)
        with asyncio.Runner() as runner:
            queued = runner.run(_queued(committer, hold))
            grace = post(USERS, {"custom_id": "grace"})
            results = batch(crowded, token, 7, ADA, grace, post(DEALS, {"custom_id": "O1"}))
            go_on.set()
            runner.run(_finished(queued))
        holding.join()
        assert [each["status"] for each in results] == [400, 503, 503, 503]
        assert crowded.counts()["contacts"] == crowded.counts()["deals"] == 0


async def _queued(committer: Any, action: Any) -> Any:
    queued = asyncio.ensure_future(committer.commit(1, action, [None] * 3))
    await asyncio.wait({queued}, timeout=0)
    return queued


async def _finished(queued: Any) -> Any:
    return await queued


def test_repeated_it_changes_nothing(platform: Served, token: str) -> None:
    first = batch(platform, token, ADA, DEAL, BOUGHT, SEEN)
    before = platform.counts(but=("requests", "sequences"))
    again = batch(platform, token, ADA, DEAL, BOUGHT, SEEN)
    assert platform.counts(but=("requests", "sequences")) == before
    assert [each["body"]["id"] for each in again] == [each["body"]["id"] for each in first]


def test_one_key_twice_in_a_batch_is_one_event(platform: Served, token: str) -> None:
    results = batch(platform, token, ADA, SEEN, SEEN)
    assert results[1]["body"]["id"] == results[2]["body"]["id"]
    assert platform.call(token, "GET", EVENTS).json["count"] == 1


def test_its_origin_is_that_of_all_its_operations(platform: Served, token: str) -> None:
    batch(platform, token, ADA, SEEN, headers={"X-Ordertrail-Origin": "backfill"})
    assert "backfill" in str(platform.rows("journal")[0])
    wrong = platform.call(
        token, "POST", BATCH, {"operations": [ADA]}, headers={"X-Ordertrail-Origin": "dream"}
    )
    assert wrong.json["results"][0]["status"] == 400


@pytest.mark.parametrize("said", [{}, {"operations": {}}, {"operations": None}, []])
def test_what_is_no_list_of_operations_is_refused(platform: Served, token: str, said: Any) -> None:
    assert platform.call(token, "POST", BATCH, said).status == 400


def test_it_takes_so_many_operations_and_no_more(platform: Served, token: str) -> None:
    many = [post(USERS, {"custom_id": f"u{n}"}) for n in range(OPERATIONS_MAX)]
    assert {each["status"] for each in batch(platform, token, *many)} == {200}
    reply = platform.call(token, "POST", BATCH, {"operations": [*many, ADA]})
    assert (reply.status, "at most 1000" in reply.text) == (400, True)


def test_others_have_their_turn_before_a_long_batch_ends(platform: Served, token: str) -> None:
    batch(platform, token)
    headers = {"Authorization": f"Token {token}"}
    many = [post(USERS, {"custom_id": f"u{n}"}) for n in range(OPERATIONS_MAX)]
    whole = Request("POST", BATCH, headers, json={"operations": many})
    single = Request("POST", USERS, headers, json=ADA["body"])
    told, ada = platform.caller.together([whole, single])
    assert [each["body"]["id"] for each in told.json["results"]][-1] == OPERATIONS_MAX + 1
    assert ada.json["id"] <= OPERATIONS_MAX


@pytest.mark.parametrize("key", [None, "k"])
def test_others_have_their_turn_between_changes_of_many(
    platform: Served, token: str, key: str | None
) -> None:
    batch(platform, token, ADA)
    path = "/api/public/users/mass_update_custom_attributes/"
    said = {"ids": [1] * (PART_MAX // 2), "attribute": "plan", "value": "pro"}
    many = [
        {"method": "PUT", "path": path, "body": said} | ({"key": f"{key}{n}"} if key else {})
        for n in range(6)
    ]
    before = sum(platform.running.committer.batch_sizes.counts)
    assert {each["status"] for each in batch(platform, token, *many)} == {200}
    assert sum(platform.running.committer.batch_sizes.counts) - before == 3


def test_what_must_wait_holds_up_all_that_is_behind_it(tmp_path: Path) -> None:
    with served.serve(tmp_path) as platform:
        token = platform.new_token()
        batch(platform, token, ADA)
        platform.running.committer.close()
        many = [post(USERS, {"custom_id": f"u{n}"}) for n in range(2 * PART_MAX + 1)]
        results = batch(platform, token, *many, 7, SEEN)
        assert [each["status"] for each in results] == [503] * len(many) + [400, 503]


def test_it_may_be_larger_than_a_single_call_and_has_an_end(platform: Served, token: str) -> None:
    names = "x" * 2_000
    large = [post(USERS, {"custom_id": f"u{n}", "note": names}) for n in range(900)]
    assert len(batch(platform, token, *large)) == 900
    reply = platform.call(token, "POST", BATCH, body=b"x" * (BYTES_MAX + 1))
    assert reply.status == 413


def test_a_product_is_created_and_then_changed(platform: Served, token: str) -> None:
    lamp = {"custom_id": 7, "name": "Lamp", "price": 12.5, "brand": "Lux", "user_key": None}
    first = platform.call(token, "POST", PRODUCTS, lamp)
    assert first.status == 201
    assert (first.json["custom_id"], first.json["name"], first.json["brand"]) == (
        "7",
        "Lamp",
        "Lux",
    )
    second = platform.call(token, "POST", PRODUCTS, {"custom_id": "7", "name": "Lamp, red"})
    assert (second.status, second.json["id"]) == (200, first.json["id"])
    assert (second.json["name"], second.json["price"]) == ("Lamp, red", 12.5)


@pytest.mark.parametrize(
    "bad", [{}, [], {"name": "Lamp"}, {"custom_id": None}, {"custom_id": ""}, {"custom_id": "\0"},
            {"custom_id": "x" * 256}, {"custom_id": [1]}, {"custom_id": "7", "price": 10**30}]
)  # fmt: skip
def test_what_is_no_product_is_refused(platform: Served, token: str, bad: Any) -> None:
    assert platform.call(token, "POST", PRODUCTS, bad).status == 400
    assert platform.counts()["products"] == 0


def test_a_product_sent_again_changes_nothing(platform: Served, token: str) -> None:
    lamp = {"custom_id": "7", "name": "Lamp", "price": 12.5, "brand": "Lux", "id": 99}
    first = platform.call(token, "POST", PRODUCTS, lamp)
    before = platform.rows("journal")
    again = platform.call(token, "POST", PRODUCTS, lamp)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert platform.rows("journal") == before


def test_a_product_twice_in_one_batch_is_created_once(platform: Served, token: str) -> None:
    lamp, renamed = ({"custom_id": "7", "name": name} for name in ("Lamp", "Lamp, red"))
    results = batch(platform, token, post(PRODUCTS, lamp), post(PRODUCTS, renamed))
    assert [each["status"] for each in results] == [201, 200]
    assert results[0]["body"]["id"] == results[1]["body"]["id"]
    assert platform.counts()["products"] == 1


def test_about_tells_what_there_is_besides(platform: Served, token: str) -> None:
    told = platform.call(token, "GET", "/api/ordertrail/v1/about/").json
    assert told["features"] == ["batch", "idempotency", "import", "export"]
