"""An export imported again, on the same server and on another."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from served import Served, serve

IMPORT = "/api/ordertrail/v1/import"
EXPORT = "/api/ordertrail/v1/export"
PUBLIC = "/api/public"
USERS = f"{PUBLIC}/users/update_or_create/"
DEALS = f"{PUBLIC}/deals/update_or_create/"
KINDS = ("users", "products", "deals")


def exported(platform: Served, token: str, name: str) -> bytes:
    return platform.call(token, "GET", f"{EXPORT}/{name}/").raw


def imported(platform: Served, token: str, name: str, text: bytes | str) -> dict[str, Any]:
    raw = text if isinstance(text, bytes) else text.encode()
    sent = {"Content-Type": "text/csv"}
    reply = platform.call(token, "POST", f"{IMPORT}/{name}/", body=raw, headers=sent)
    assert reply.status == 200, reply.text
    report: dict[str, Any] = reply.json
    return report


def became(report: dict[str, Any]) -> list[str]:
    return [each["status"] for each in report["results"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("there_and_back")) as running:
        yield running


NUMBERS = st.integers(1, 6)
CUSTOM_IDS = st.sampled_from(["a", "b", "-c"])
PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        "custom_id": CUSTOM_IDS,
        "email": st.sampled_from(["one@shop.test", "ONE@shop.test", "two@shop.test", ""]),
        "user_key": st.sampled_from(["k1", "k2", "=k3"]),
        "first_name": st.sampled_from(["Ada", "'Bob", ""]),
        "points": st.sampled_from([1, 2.5]),
        "tags": st.just(["vip"]),
    },
)
LINES = st.lists(
    st.fixed_dictionaries({"product_custom_id": st.sampled_from(["P", "Q"]), "value": NUMBERS}),
    max_size=2,
)
ORDERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["one", "two"])},
    optional={
        "custom_id": st.sampled_from(["O1", "O2", "=3"]),
        "user_id": NUMBERS,
        "status": st.integers(0, 4),
        "value": st.sampled_from(["12.50", 3]),
        "order_products": LINES,
        "participants": st.lists(NUMBERS, max_size=2),
    },
)
STEPS = st.one_of(
    st.tuples(st.just("POST"), st.sampled_from([USERS, f"{PUBLIC}/users/"]), PEOPLE),
    st.tuples(st.just("PUT"), st.builds(f"{PUBLIC}/users/{{}}/".format, NUMBERS), PEOPLE),
    st.tuples(
        st.just("POST"),
        st.just(f"{PUBLIC}/users/merge/"),
        st.fixed_dictionaries({"parent": NUMBERS, "users_list": st.lists(NUMBERS, max_size=2)}),
    ),
    st.tuples(st.just("DELETE"), st.builds(f"{PUBLIC}/users/{{}}/".format, NUMBERS), st.none()),
    st.tuples(st.just("POST"), st.just(f"{PUBLIC}/deals/"), ORDERS),
    st.tuples(st.just("PUT"), st.builds(f"{PUBLIC}/deals/{{}}/".format, NUMBERS), ORDERS),
)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, min_size=1, max_size=16))
def test_whatever_was_exported_changes_nothing_when_it_is_imported_again_and_again(
    server: Served, steps: list[tuple[str, str, Any]]
) -> None:
    number = 1 + len(server.rows("workspaces"))
    server.new_workspace(number)
    token = server.new_token(workspace_id=number)
    for step in steps:
        server.call(token, *step)
    before = server.everything()
    texts = {name: exported(server, token, name) for name in KINDS}
    for name in (*KINDS, *KINDS):
        report = imported(server, token, name, texts[name])
        assert set(became(report)) <= {"unchanged"}, (steps, report)
    assert server.everything() == before


def test_visitors_and_people_who_share_an_e_mail_come_to_another_server_as_they_were(
    platform: Served, token: str
) -> None:
    platform.new_workspace(2)
    other = platform.new_token(workspace_id=2)
    email = "we@shop.test"
    for body in (
        {"email": email, "user_key": "k1", "city": "Hull"},
        {"email": email, "user_key": "k2", "city": "York", "custom_id": "a"},
        {"email": email, "user_key": "k3", "city": "Bath"},
        {"user_key": "k4"},
    ):
        assert platform.call(token, "POST", f"{PUBLIC}/users/", body).status == 201
    text = exported(platform, token, "users")
    assert became(imported(platform, other, "users", text)) == ["created"] * 4
    assert became(imported(platform, other, "users", text)) == ["unchanged"] * 4
    names = ("user_key", "custom_id", "email", "city")
    told = [
        [
            [each[name] for name in names]
            for each in platform.call(whose, "GET", f"{PUBLIC}/users/").json["results"]
        ]
        for whose in (token, other)
    ]
    assert told[0] == told[1]


def test_a_key_finds_its_contact_before_the_e_mail_and_one_of_a_merged_contact_its_parent(
    platform: Served, token: str
) -> None:
    for key in ("k1", "k2", "k3"):
        body = {"email": "we@shop.test", "user_key": key}
        platform.call(token, "POST", f"{PUBLIC}/users/", {**body, "city": key})
    merge = {"parent": 1, "users_list": [2]}
    assert platform.call(token, "POST", f"{PUBLIC}/users/merge/", merge).status == 200
    text = "user_key,email,city\nk3,new@shop.test,\nk2,other@shop.test,Hull\n"
    report = imported(platform, token, "users", text)
    assert [(each["status"], each["id"]) for each in report["results"]] == [
        ("changed", 3), ("changed", 1),
    ]  # fmt: skip
    people = platform.call(token, "GET", f"{PUBLIC}/users/").json["results"]
    assert [(each["user_key"], each["email"], each["city"]) for each in people] == [
        ("k3", "new@shop.test", "k3"), ("k1", "we@shop.test", "Hull"),
    ]  # fmt: skip


def test_a_key_that_its_contact_gives_up_is_that_of_a_new_one_in_the_same_file(
    platform: Served, token: str
) -> None:
    platform.call(token, "POST", USERS, {"custom_id": "a", "user_key": "k1"})
    report = imported(platform, token, "users", "custom_id,user_key\na,k2\n,k1\n,k1\n")
    assert became(report) == ["changed", "created", "unchanged"]


def test_rows_of_one_key_are_decided_together_in_a_trial(platform: Served, token: str) -> None:
    text = "user_key\nk1\n" + "".join(f"u{number}\n" for number in range(300)) + "k1\n"
    target = f"{IMPORT}/users/?dry_run=true"
    sent = {"Content-Type": "text/csv"}
    totals = platform.call(token, "POST", target, body=text.encode(), headers=sent).json["totals"]
    assert (totals["created"], totals["unchanged"]) == (301, 1)


def test_an_order_without_a_custom_id_is_changed_by_its_export_and_by_no_other_file(
    platform: Served, token: str
) -> None:
    for body in ({"name": "one"}, {"name": "two", "custom_id": "O2"}):
        assert platform.call(token, "POST", f"{PUBLIC}/deals/", body).status == 201
    text = exported(platform, token, "deals").decode()
    assert became(imported(platform, token, "deals", text)) == ["unchanged"] * 2
    assert became(imported(platform, token, "deals", text.replace("one", "uno"))) == [
        "changed",
        "unchanged",
    ]
    assert platform.call(token, "GET", f"{PUBLIC}/deals/1/").json["name"] == "uno"
    text = exported(platform, token, "deals").decode()
    before = platform.rows("deals"), platform.rows("journal")
    for other in (
        text.replace("1,,uno", "2,,uno"),
        text.replace("1,,uno", "9,,uno"),
        text.replace("1,,uno", ",,uno"),
        text.replace(platform.call(token, "GET", f"{PUBLIC}/deals/1/").json["created_at"], ""),
        text.replace("Z", "+01:00"),
    ):
        [refused, same] = imported(platform, token, "deals", other)["results"]
        assert list(refused["errors"]) == ["custom_id"]
        assert same["status"] == "unchanged"
    unnamed = imported(platform, token, "deals", text.replace("O2", ""))["results"][1]
    assert list(unnamed["errors"]) == ["custom_id"]
    assert (platform.rows("deals"), platform.rows("journal")) == before


def test_lines_of_an_order_without_a_custom_id_may_stand_in_rows_of_their_own(
    platform: Served, token: str
) -> None:
    made = platform.call(token, "POST", f"{PUBLIC}/deals/", {"name": "one"}).json
    row = f"{made['id']},{made['created_at']}"
    text = f"id,created_at,custom_id,product_custom_id\n{row},,A\n{row},,B\n"
    report = imported(platform, token, "deals", text)
    assert [(each["status"], each["rows"]) for each in report["results"]] == [("changed", 2)]
    lines = platform.call(token, "GET", f"{PUBLIC}/deals/1/").json["order_products"]
    assert [each["product_custom_id"] for each in lines] == ["A", "B"]


def test_an_e_mail_among_the_attributes_of_orders_does_not_make_them_one(
    platform: Served, token: str
) -> None:
    text = "custom_id,email,product_custom_id\nO1,a@shop.test,A\nO2,a@shop.test,B\n"
    assert became(imported(platform, token, "deals", text)) == ["created"] * 2


def kept(platform: Served) -> dict[str, list[list[Any]]]:
    """All rows but those of products, which have the time at which they were last described."""
    return {name: rows for name, rows in platform.everything().items() if name != "products"}


def test_what_was_exported_can_be_imported_again_and_changes_nothing(
    platform: Served, token: str
) -> None:
    said: list[tuple[str, dict[str, Any]]] = [
        (
            USERS,
            {
                "custom_id": "-7",
                "email": "ada@shop.test",
                "first_name": "=1+1",
                "last_name": "''@x",
                "phone": "+44 20",
                "city": 'two\r\nlines; "quoted", and \ttabs',
                "gender": 3,
                "unsubscribed": True,
                "notifications": False,
                "score": 0,
                "last_seen": 1_700_000_000,
                "points": -12.125,
                "big": 10**17,
                "is_vip": True,
                "likes": ["a", {"b": None}, 1.5],
                "mixed": {"x": "=y"},
                "empty": "",
                "gone": None,
                "born_on": "1990-02-28",
                "zip": "01234",
            },
        ),
        (USERS, {"email": "only@shop.test", "points": 5}),
        (USERS, {"custom_id": "plain"}),
        (
            "/api/public/products/",
            {"custom_id": "=P/1", "name": "@Lamp", "price": "12.50", "colour": "-red"},
        ),
        ("/api/public/products/", {"custom_id": "P2", "price": 19.90}),
        ("/api/public/companies/", {"custom_id": "C", "name": "Acme"}),
        (
            DEALS,
            {
                "custom_id": "O1",
                "user_custom_id": "-7",
                "value": "149.999",
                "currency": "KWD",
                "stage": 2,
                "status": 2,
                "won_at": "2026-01-02T03:04:05.678901Z",
                "products_custom_id": ["P2", "=P/1"],
                "order_products": [
                    {"product_custom_id": "=P/1", "quantity": 3, "value": 0.333333},
                    {"product_custom_id": "=P/1", "value": 5, "currency": "EUR"},
                ],
                "expected_close_date": "2026-02-28",
                "loss_reason": 4,
                "participants": [3, 1],
                "company_id": 1,
                "tags": ["vip", "=late"],
                "delivery_cost": 9.99,
            },
        ),
        (DEALS, {"custom_id": "O2", "value": 5, "currency": "JPY", "status": 3}),
        (DEALS, {"custom_id": "O3", "user_id": 2, "products_custom_id": ["P2"], "status": 4}),
    ]
    for path, body in said:
        assert platform.call(token, "POST", path, body).status in (200, 201)
    for name in ("users", "products", "deals"):
        text = platform.call(token, "GET", f"{EXPORT}/{name}/").raw
        before = kept(platform)
        report = imported(platform, token, name, text)
        assert {each["status"] for each in report["results"]} == {"unchanged"}, report
        assert kept(platform) == before
        assert platform.call(token, "GET", f"{EXPORT}/{name}/").raw == text
