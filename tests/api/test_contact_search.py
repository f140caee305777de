"""Looking for contacts, as the clients in the field ask."""

from typing import Any

import pytest

from asgi import Reply
from served import Served

SEARCH = "/api/public/users/search/"
V1 = {"Accept": "*/*"}


@pytest.fixture
def call(platform: Served, token: str) -> Any:
    def made(target: str, **headers: str) -> Reply:
        return platform.call(token, "GET", target, headers=headers)

    people = (
        {"custom_id": "A", "email": "ann+x@b.c", "user_key": "kA", "phone_number": "+44 1"},
        {"custom_id": "B", "email": "ANN+x@B.c", "user_key": "kB", "is_pro": True, "age": 9},
        {"custom_id": "C", "email": "cy@b.c", "is_pro": False, "age": 12, "city": "York"},
        {"custom_id": "D", "phone_number": "+44 1", "is_pro": True, "age": 40, "city": "york"},
    )
    for body in people:
        assert platform.call(token, "POST", "/api/public/users/", body).status == 201
    return made


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [each["custom_id"] for each in reply.json["results"]]


@pytest.mark.parametrize(
    "query",
    [
        "email=ann%2Bx@b.c",
        "email=ann+x@b.c",
        "email=ANN+X@B.C/",
        "email=%20ann+x@b.c",
        "email=ann+x%40b.c&many=false",
        "email=ann x@b.c".replace(" ", "%20"),
    ],
)
def test_an_email_finds_one_contact_the_oldest(call: Any, query: str) -> None:
    found = call(f"{SEARCH}?{query}")
    assert (found.status, found.json["custom_id"]) == (200, "A")


def test_many_finds_all_with_the_email_as_a_list(call: Any) -> None:
    assert [each["custom_id"] for each in call(f"{SEARCH}?email=ann+x@b.c&many=true").json] == [
        "A",
        "B",
    ]
    assert call(f"{SEARCH}?email=nobody@b.c&many=true").json == []


@pytest.mark.parametrize("query", ["email=nobody@b.c", "email=", "email=/", "key=none", "key=/"])
def test_nobody_is_not_found(call: Any, query: str) -> None:
    assert call(f"{SEARCH}?{query}").status == 404


def test_a_key_finds_one_contact(call: Any) -> None:
    assert call(f"{SEARCH}?key=kB/").json["custom_id"] == "B"
    assert call(f"{SEARCH}?key=kB", **V1).json["user_id"] == "B"


def test_a_phone_number_finds_a_page_and_one_in_version_1(call: Any) -> None:
    assert ids(call(f"{SEARCH}?phone_number=%2B44%201")) == ["D", "A"]
    assert call(f"{SEARCH}?phone_number=%2B44%201", **V1).json["user_id"] == "A"
    assert ids(call(f"{SEARCH}?phone_number=0")) == []
    assert call(f"{SEARCH}?phone_number=0", **V1).status == 404


def test_the_shops_id_finds_one_contact(call: Any) -> None:
    assert call("/api/public/users-by-id/search/?user_id=C", **V1).json["user_id"] == "C"
    assert call(f"{SEARCH}?custom_id=C").json["custom_id"] == "C"
    assert call("/api/public/users-by-id/search/?user_id=Z", **V1).status == 404


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("email__contains=B.C", ["C", "B", "A"]),
        ("email__contains=ann+x", ["B", "A"]),
        ("is_pro__startswith=True", ["D", "B"]),
        ("is_pro=true&age__gt=9", ["D"]),
        ("age__gte=12&age__lt=40", ["C"]),
        ("city__exact=York", ["C"]),
        ("city__istartswith=YO", ["D", "C"]),
        ("email=ann+x@b.c&age__exact=9", ["B"]),
        ("search=created_at&min=1", ["D", "C", "B", "A"]),
        ("search=created_at&max=1", []),
        ("email__exact=ann+x@b.c", ["B", "A"]),
    ],
)
def test_filters_find_a_page_of_those_that_hold_all(
    call: Any, query: str, wanted: list[str]
) -> None:
    assert ids(call(f"{SEARCH}?{query}")) == wanted


@pytest.mark.parametrize("query", ["", "many=true", "cursor=", "page=2"])
def test_looking_for_nothing_says_what_to_look_for(call: Any, query: str) -> None:
    refused = call(f"{SEARCH}?{query}")
    assert refused.status == 400
    assert "phone_number" in refused.json["errors"]["query"][0]


def test_a_page_of_a_search_leads_to_the_next(platform: Served, token: str) -> None:
    operations = [
        {"path": "/api/public/users/", "body": {"email": f"{n}@b.c", "city": "York"}}
        for n in range(230)
    ]
    platform.call(token, "POST", "/api/ordertrail/v1/batch/", {"operations": operations})
    target, told = f"{SEARCH}?city__contains=o", []
    while target:
        page = platform.call(token, "GET", target.removeprefix("http://shop.test")).json
        assert page["count"] == 230
        told += [each["id"] for each in page["results"]]
        target = page["next"]
    assert told == list(range(230, 0, -1))


def test_a_phone_number_finds_the_oldest_of_more_than_a_page(
    call: Any, platform: Served, token: str
) -> None:
    operations = [
        {"path": "/api/public/users/", "body": {"custom_id": f"P{n}", "phone_number": "+44 1"}}
        for n in range(101)
    ]
    platform.call(token, "POST", "/api/ordertrail/v1/batch/", {"operations": operations})
    assert call(f"{SEARCH}?phone_number=%2B44%201", **V1).json["user_id"] == "A"
