"""Deals are created, changed, deleted and listed under both ids and in both versions of names."""

import json
from typing import Any

import pytest

from asgi import Reply, Request
from served import Served

PUBLIC = "/api/public"
GONE = ("deals", "order_products", "deal_products", "taggings")
V1 = {"Accept": "*/*"}
BITBAG = {
    "custom_id": "000000012",
    "name": "#000000012",
    "user_custom_id": "a@b.c",
    "value": 123.45,
    "currency": "EUR",
    "stage": 1,
    "order_products": [
        {"product_custom_id": 7, "quantity": 2, "value": 19.99, "currency": "EUR"},
    ],
    "products_custom_id": [7],
}


@pytest.fixture
def shop(platform: Served, token: str) -> Served:
    for custom_id in ("a@b.c", "d@e.f"):
        body = {"custom_id": custom_id}
        assert call(platform, token, "POST", "users/update_or_create/", body).status == 200
    return platform


def call(shop: Served, token: str, method: str, path: str, body: Any = None, **more: Any) -> Reply:
    return shop.call(token, method, f"{PUBLIC}/{path}", body, **more)


def refused(reply: Reply) -> tuple[int, list[str]]:
    return reply.status, list(reply.json.get("errors", {}))


@pytest.mark.parametrize("path", ["deals/", "deals-by-id/"])
def test_a_deal_is_created_once_however_often_it_is_posted(
    shop: Served, token: str, path: str
) -> None:
    first = call(shop, token, "POST", path, BITBAG)
    assert (first.status, first.json["value"], first.json["pipeline"]) == (201, "123.45", 1)
    assert first.json["products_custom_id"] == ["7"]
    kept = shop.rows("deals"), shop.rows("journal")
    again = call(shop, token, "POST", path, BITBAG)
    assert (again.status, again.json) == (200, first.json)
    assert (shop.rows("deals"), shop.rows("journal")) == kept


def test_a_deal_posted_again_as_another_is_refused_by_its_custom_id(
    shop: Served, token: str
) -> None:
    call(shop, token, "POST", "deals/", BITBAG)
    kept = shop.counts(), shop.rows("deals")
    for other in ({"stage": 2}, {"value": 5}, {"order_products": []}, {"note": "new"}):
        reply = call(shop, token, "POST", "deals/", {**BITBAG, **other})
        assert refused(reply) == (400, ["custom_id"])
    assert (shop.counts(), shop.rows("deals")) == kept


def test_a_deal_of_an_unknown_contact_is_not_found_and_then_created(
    shop: Served, token: str
) -> None:
    body = {**BITBAG, "user_custom_id": "new@b.c"}
    assert call(shop, token, "POST", "deals/", body).status == 404
    call(shop, token, "POST", "users/update_or_create/", {"custom_id": "new@b.c"})
    assert call(shop, token, "POST", "deals/", body).status == 201


def test_deals_without_an_id_of_the_shop_are_each_a_new_one(shop: Served, token: str) -> None:
    replies = [call(shop, token, "POST", "deals/", {"name": "By phone"}) for _ in range(2)]
    assert [(each.status, each.json["custom_id"]) for each in replies] == [(201, None)] * 2
    assert replies[0].json["id"] != replies[1].json["id"]
    assert refused(call(shop, token, "POST", "deals/", {"value": 5})) == (400, ["name"])


def test_the_same_deal_posted_thirty_times_at_once_is_one(shop: Served, token: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    asked = [Request("POST", f"{PUBLIC}/deals/", headers, json=BITBAG) for _ in range(30)]
    replies = shop.caller.together(asked)
    assert sorted(reply.status for reply in replies) == [200] * 29 + [201]
    assert len({reply.json["id"] for reply in replies}) == 1


@pytest.mark.parametrize("path", ["deals/1/", "deals-by-id/000000012/"])
@pytest.mark.parametrize(("method", "headers"), [("PUT", {}), ("PUT", V1), ("PATCH", V1)])
def test_a_change_touches_what_was_sent_alone(
    shop: Served, token: str, path: str, method: str, headers: dict[str, str]
) -> None:
    before = call(shop, token, "POST", "deals/", {**BITBAG, "gift": True}).json
    reply = call(shop, token, method, path, {"stage": 2, "note": "x"}, headers=headers)
    assert reply.status == 200
    after = call(shop, token, "GET", path).json
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"stage", "note", "updated_at"}
    if not headers:
        assert reply.json == after


def test_a_change_says_and_reads_the_names_of_its_version(shop: Served, token: str) -> None:
    call(shop, token, "POST", "deals/", {**BITBAG, "gift": True})
    body = {"person": 2, "deal_id": "13"}
    told = call(shop, token, "PATCH", "deals/1/", body, headers=V1).json
    assert (told["person"], told["deal_id"], "user_id" in told) == (2, "13", False)
    assert [(each["name"], each["value"]) for each in told["attributes"]] == [("gift", True)]
    told = call(shop, token, "GET", "deals/1/").json
    assert (told["user_id"], told["custom_id"], told["gift"]) == (2, "13", True)


def test_the_whole_order_sent_on_every_change_is_that_order(shop: Served, token: str) -> None:
    call(shop, token, "POST", "deals/", BITBAG)
    for stage in (2, 2, 3):
        body = {**BITBAG, "stage": stage}
        reply = call(shop, token, "PUT", "deals-by-id/000000012/", body)
        assert (reply.status, reply.json["stage"], len(reply.json["order_products"])) == (
            200,
            stage,
            1,
        )
    assert shop.counts()["order_products"] == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["deals/9/", "deals/none/", "deals-by-id/none/"])
def test_a_deal_that_is_not_there_is_not_found(
    shop: Served, token: str, method: str, path: str
) -> None:
    reply = call(shop, token, method, path, {"stage": 2} if method != "GET" else None)
    assert reply.status == 404
    assert shop.counts()["deals"] == 0


def test_a_deal_gets_another_custom_id_when_it_is_free(shop: Served, token: str) -> None:
    for custom_id in ("A", "B"):
        call(shop, token, "POST", "deals/", {"custom_id": custom_id})
    taken = call(shop, token, "PUT", "deals-by-id/A/", {"custom_id": "B", "value": 5})
    assert refused(taken) == (400, ["custom_id"])
    assert call(shop, token, "GET", "deals/1/").json["value"] == "0.00"
    assert call(shop, token, "PUT", "deals-by-id/A/", {"custom_id": "C"}).json["custom_id"] == "C"
    assert call(shop, token, "GET", "deals-by-id/A/").status == 404
    assert call(shop, token, "PUT", "deals/2/", {"custom_id": "A"}).json["custom_id"] == "A"
    assert call(shop, token, "POST", "deals/", {"custom_id": "B"}).status == 201
    ids = [call(shop, token, "GET", f"deals-by-id/{each}/").json["id"] for each in "ABC"]
    assert ids == [2, 3, 1]


def test_custom_ids_that_are_handed_on_at_once_end_with_one_deal_each(
    shop: Served, token: str
) -> None:
    for custom_id in ("A", "B"):
        call(shop, token, "POST", "deals/", {"custom_id": custom_id})
    headers = {"Authorization": f"Token {token}", "Accept": "*/*; version=2"}

    def put(path: str, custom_id: str) -> Request:
        return Request("PUT", f"{PUBLIC}/{path}", headers, json={"custom_id": custom_id})

    upsert = Request("POST", f"{PUBLIC}/deals/update_or_create/", headers, json={"custom_id": "B"})
    asked = [put("deals/2/", "C"), put("deals/1/", "B"), put("deals/2/", "A"), upsert]
    assert [each.status for each in shop.caller.together(asked)] == [200] * 4
    ids = [call(shop, token, "GET", f"deals-by-id/{each}/").json.get("id") for each in "ABC"]
    assert ids == [2, 1, None]


@pytest.mark.parametrize("path", ["deals/1/", "deals-by-id/000000012/"])
def test_a_deleted_deal_is_gone_and_the_journal_keeps_what_it_was(
    shop: Served, token: str, path: str
) -> None:
    call(shop, token, "POST", "deals/", {**BITBAG, "tags": ["vip"]})
    reply = call(shop, token, "DELETE", path)
    assert (reply.status, reply.json) == (200, {"id": 1, "deleted": True})
    assert call(shop, token, "GET", path).status == 404
    assert call(shop, token, "DELETE", path).status == 404
    counts = shop.counts()
    assert [counts[each] for each in GONE] == [0, 0, 0, 0]
    told = call(shop, token, "GET", "users/1/timeline/").json["results"][0]
    assert (told["type"], told["deal_id"]) == ("deal_deleted", 1)
    assert told["changes"]["custom_id"] == ["000000012", None]
    assert told["changes"]["value"] == ["123.45", None]
    again = call(shop, token, "POST", "deals/", BITBAG)
    assert (again.status, again.json["id"]) == (201, 2)


def test_one_deal_deleted_twice_in_one_batch_is_deleted_once(shop: Served, token: str) -> None:
    call(shop, token, "POST", "deals/", BITBAG)
    operation = {"method": "DELETE", "path": f"{PUBLIC}/deals/1/", "body": None}
    by_id = {**operation, "path": f"{PUBLIC}/deals-by-id/000000012/"}
    batch = {"operations": [operation, by_id]}
    told = shop.call(token, "POST", "/api/ordertrail/v1/batch/", batch).json["results"]
    assert [each["status"] for each in told] == [200, 404]


@pytest.mark.parametrize("version", ["2", "1"])
def test_participants_are_told_as_they_are_today(shop: Served, token: str, version: str) -> None:
    def told(method: str, path: str, body: Any = None) -> Any:
        headers = {"Accept": f"*/*; version={version}"}
        return shop.call(token, method, f"{PUBLIC}/{path}", body, headers=headers).json

    ids = [told("POST", "users/", {"email": f"{n}@b.c"})["id"] for n in range(3)]
    told("POST", "deals/", {"custom_id": "D", "participants": ids})
    told("POST", "users/merge/", {"parent": ids[1], "users_list": [ids[0]]})
    assert told("GET", "deals/1/")["participants"] == ids[1:]
    told("DELETE", f"users/{ids[2]}/")
    read = told("GET", "deals/1/")
    assert read["participants"] == told("GET", "deals/")["results"][0]["participants"] == [ids[1]]
    assert told("PUT", "deals/1/", {"name": "other"})["participants"] == [ids[1]]
    sent = {"custom_id": "D", "participants": read["participants"]}
    assert told("POST", "deals/update_or_create/", sent)["participants"] == [ids[1]]
    export = shop.call(token, "GET", "/api/ordertrail/v1/export/deals/?format=jsonl")
    assert json.loads(export.text.splitlines()[0])["participants"] == [ids[1]]


def test_participants_are_contacts_that_are_known(shop: Served, token: str) -> None:
    body = {"custom_id": "D", "participants": [2, 1, 2]}
    assert call(shop, token, "POST", "deals/", body).json["participants"] == [2, 1]
    for path in ("deals/1/", "deals-by-id/D/"):
        reply = call(shop, token, "PUT", path, {"participants": [1, 77]})
        assert refused(reply) == (400, ["participants"])
        assert "77" in reply.json["errors"]["participants"][0]
    assert call(shop, token, "PUT", "deals/1/", {"participants": []}).json["participants"] == []


def test_null_for_the_contact_of_a_deal_says_nothing(shop: Served, token: str) -> None:
    call(shop, token, "POST", "deals/", BITBAG)
    for body in ({"user_id": None}, {"user_custom_id": None}):
        assert call(shop, token, "PUT", "deals/1/", body).json["user_id"] == 1
    assert call(shop, token, "PUT", "deals/1/", {"user_id": 2}).json["user_id"] == 2


FILTERED = [
    ("", [3, 2, 1]),
    ("?stage=2", [2]),
    ("?pipeline=1", [3, 2, 1]),
    ("?pipeline=2", []),
    ("?status=2", [3]),
    ("?user_id=1", [2, 1]),
    ("?user_id=77", []),
    ("?user_id=1.7", []),
    ("?user_custom_id=d@e.f", [3]),
    ("?user_custom_id=d@e.f/", [3]),
    ("?user_id__gte=2", [3]),
    ("?custom_id=B", [2]),
    ("?name__icontains=big", [3]),
    ("?value__gte=20.5", [3, 2]),
    ("?value=20.50", [2]),
    ("?currency=JPY", [3]),
    ("?note=x", [1]),
    ("?loss_reason=4", [1]),
    ("?created_at__gte=2020-01-01", [3, 2, 1]),
    ("?created_at__lt=2020-01-01", []),
    ("?search=updated_at&min=0&max=1", []),
    ("?stage=1&user_id=1", [1]),
    ("?won_at__gte=2020-01-01T00:00:00Z", [3]),
]


@pytest.fixture
def three(shop: Served, token: str) -> Served:
    for body in (
        {"custom_id": "A", "user_id": 1, "note": "x", "loss_reason": 4, "value": "9.99"},
        {"custom_id": "B", "user_id": 1, "stage": 2, "value": "20.50"},
        {
            "custom_id": "C",
            "name": "A Big one",
            "user_id": 2,
            "status": 2,
            "currency": "JPY",
            "value": 2000,
        },
    ):
        assert call(shop, token, "POST", "deals/", body).status == 201
    return shop


@pytest.mark.parametrize(("query", "ids"), FILTERED)
def test_deals_are_found_by_what_they_are_like(
    three: Served, token: str, query: str, ids: list[int]
) -> None:
    told = call(three, token, "GET", f"deals/{query}").json
    assert [each["id"] for each in told["results"]] == ids
    assert (told["count"], told["next"], told["previous"]) == (len(ids), None, None)


def test_deals_are_found_by_the_key_of_the_contacts_browser(three: Served, token: str) -> None:
    key = call(three, token, "GET", "users/2/").json["user_key"]
    for name in ("userkey", "user_key"):
        told = call(three, token, "GET", f"deals/?{name}={key}").json
        assert [each["id"] for each in told["results"]] == [3]


def test_deals_are_found_by_the_names_of_version_1_and_shown_so(three: Served, token: str) -> None:
    for query, ids in (("person=2", [3]), ("deal_id=B", [2]), ("company=5", [])):
        told = call(three, token, "GET", f"deals/?{query}", headers=V1).json
        assert [each["id"] for each in told["results"]] == ids
    [shown] = call(three, token, "GET", "deals/?person=2", headers=V1).json["results"]
    assert (shown["person"], shown["deal_id"]) == (2, "C")


@pytest.mark.parametrize(
    "query",
    [
        "?value__gte=much",
        "?created_at__gte=soon",
        "?stage=new",
        "?user_id=1abc",
        "?loss_reason=4th",
        "?assigned_to__lt=me",
        "?company_id=acme",
    ],
)
def test_a_filter_that_no_deal_can_match_says_why(three: Served, token: str, query: str) -> None:
    reply = call(three, token, "GET", f"deals/{query}")
    assert refused(reply) == (400, [query[1:].split("=", maxsplit=1)[0]])


def test_an_idempotency_key_makes_one_deal(shop: Served, token: str) -> None:
    key = {"Idempotency-Key": "one"}
    replies = [
        call(shop, token, "POST", "deals/", {"name": "By phone"}, headers=key) for _ in range(2)
    ]
    assert [each.status for each in replies] == [201, 201]
    assert replies[0].json == replies[1].json
    assert shop.counts()["deals"] == 1


@pytest.mark.parametrize("one", ["deals/1", "deals-by-id/000000012"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_deal_bears_the_tags_that_are_put_on_it(
    shop: Served, token: str, one: str, method: str
) -> None:
    told = call(shop, token, "POST", "deals/", {**BITBAG, "tags": ["gift", "vip"]}).json
    assert [each["name"] for each in told["tags"]] == ["gift", "vip"]
    added = [call(shop, token, "POST", f"{one}/add_tag/", {"name": "late"}) for _ in range(2)]
    assert [(each.status, each.json["created"]) for each in added] == [(200, True), (200, False)]
    assert added[0].json["tag"] == {"id": 3, "name": "late"}
    removed = call(shop, token, method, f"{one}/remove_tag/", {"name": "gift"})
    assert (removed.status, removed.json) == (200, {"tag": {"name": "gift"}})
    call(shop, token, "PUT", f"{one}/", {"tags": ["vip", {"name": "new"}]})
    told = call(shop, token, "GET", f"{one}/").json
    assert [each["name"] for each in told["tags"]] == ["vip", "late", "new"]
    entry = call(shop, token, "GET", "users/1/timeline/").json["results"][0]
    assert entry["changes"] == {"tags": [["vip", "late"], ["vip", "late", "new"]]}


def test_a_deal_sent_again_with_its_tags_is_no_change(shop: Served, token: str) -> None:
    body = {**BITBAG, "tags": ["vip"]}
    assert call(shop, token, "POST", "deals/", body).status == 201
    kept = shop.counts(), shop.rows("deals")
    assert call(shop, token, "POST", "deals/", body).status == 200
    reply = call(shop, token, "POST", "deals/", {**BITBAG, "tags": ["other"]})
    assert refused(reply) == (400, ["custom_id"])
    assert (shop.counts(), shop.rows("deals")) == kept
    assert call(shop, token, "POST", "deals/9/add_tag/", {"name": "x"}).status == 404


def test_tags_put_on_and_taken_off_at_once_end_as_one_after_the_other(
    shop: Served, token: str
) -> None:
    call(shop, token, "POST", "deals/", {**BITBAG, "tags": ["a"]})
    headers = {"Authorization": f"Token {token}"}
    steps = [("add", "b"), ("remove", "a"), ("add", "a"), ("remove", "b"), ("add", "c")]
    asked = [
        Request("POST", f"{PUBLIC}/deals/1/{action}_tag/", headers, json={"name": name})
        for action, name in steps
    ]
    assert {each.status for each in shop.caller.together(asked)} == {200}
    told = call(shop, token, "GET", "deals/1/").json["tags"]
    assert [each["name"] for each in told] == ["a", "c"]


def test_a_deal_names_its_company_by_either_id(shop: Served, token: str) -> None:
    for company in ({"name": "Acme", "custom_id": "C"}, {"name": "Other"}):
        call(shop, token, "POST", "companies/", company)
    both = ("company_id", "company_custom_id")
    for body, wanted in (
        ({"company_custom_id": "C"}, (1, "C")),
        ({"company_id": 2}, (2, None)),
        ({"company_id": 1}, (1, "C")),
        ({"note": "x"}, (1, "C")),
        ({"company_id": None}, (None, None)),
    ):
        told = call(shop, token, "POST", "deals/update_or_create/", {"custom_id": "D", **body}).json
        assert tuple(told[name] for name in both) == wanted
    for name, unknown in zip(both, (9, "none"), strict=True):
        assert refused(call(shop, token, "PUT", "deals/1/", {name: unknown})) == (400, [name])
