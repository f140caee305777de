"""Imports: a CSV file of contacts, products or orders, and a report on each row."""

import json
from typing import Any

import pytest

from ordertrail.api.imports import BYTES_MAX, PART_MAX
from served import Served

IMPORT = "/api/ordertrail/v1/import"
EXPORT = "/api/ordertrail/v1/export"
USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/update_or_create/"
LINES = {"Accept": "application/x-ndjson"}


def imported(
    platform: Served, token: str, name: str, text: str | bytes, query: str = "", **headers: str
) -> dict[str, Any]:
    body = text if isinstance(text, bytes) else text.encode()
    target = f"{IMPORT}/{name}/{query}"
    sent = {"Content-Type": "text/csv", **headers}
    reply = platform.call(token, "POST", target, body=body, headers=sent)
    assert reply.status == 200, reply.text
    report: dict[str, Any] = reply.json
    return report


def statuses(report: dict[str, Any]) -> list[tuple[int, str]]:
    return [(each["row"], each["status"]) for each in report["results"]]


def errors(report: dict[str, Any]) -> dict[int, list[str]]:
    return {each["row"]: list(each["errors"]) for each in report["results"] if "errors" in each}


def user(platform: Served, token: str, custom_id: str) -> dict[str, Any]:
    found: dict[str, Any] = platform.call(
        token, "GET", f"/api/public/users-by-id/{custom_id}/"
    ).json
    return found


def deal(platform: Served, token: str, custom_id: str) -> dict[str, Any]:
    found: dict[str, Any] = platform.call(
        token, "GET", f"/api/public/deals-by-id/{custom_id}/"
    ).json
    return found


def test_each_row_is_an_upsert_and_is_told_what_became_of_it(platform: Served, token: str) -> None:
    platform.call(token, "POST", USERS, {"custom_id": "a", "city": "Hull"})
    text = "custom_id,email,city\na,,York\nb,b@shop.test,\n,b@shop.test,\nc,nonsense,\n,,York\n"
    report = imported(platform, token, "users", text)
    assert report["results"] == [
        {"row": 2, "status": "changed", "id": 1},
        {"row": 3, "status": "created", "id": 2},
        {"row": 4, "status": "unchanged", "id": 2},
        {"row": 5, "status": "refused", "id": None, "errors": report["results"][3]["errors"]},
        {"row": 6, "status": "refused", "id": None, "errors": report["results"][4]["errors"]},
    ]
    assert errors(report) == {5: ["email"], 6: ["custom_id"]}
    assert report["totals"] == {
        "rows": 5,
        "created": 1,
        "changed": 1,
        "unchanged": 1,
        "refused": 2,
        "dry_run": False,
        "ignored_columns": [],
    }
    assert user(platform, token, "a")["city"] == "York"


@pytest.mark.parametrize("name", ["users", "products", "deals"])
def test_the_same_file_again_changes_nothing(platform: Served, token: str, name: str) -> None:
    text = "custom_id,name,first_name,size,price\na,Lamp,Ada,L,3.50\nb,Chair,Bob,M,4\n"
    first, again = (imported(platform, token, name, text) for _ in range(2))
    assert statuses(first) == [(2, "created"), (3, "created")]
    before = platform.counts()
    assert statuses(again) == [(2, "unchanged"), (3, "unchanged")]
    assert platform.counts() == before


def test_the_report_may_be_read_line_by_line(platform: Served, token: str) -> None:
    body = b"custom_id\na\nb\n"
    reply = platform.call(token, "POST", f"{IMPORT}/users/", body=body, headers=LINES)
    assert reply.headers["content-type"] == "application/x-ndjson"
    *rows, last = map(json.loads, reply.raw.splitlines())
    assert [each["status"] for each in rows] == ["created", "created"]
    assert last["totals"]["created"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "custom_id,First name,SHOE SIZE\nü,Ada,41\n",
        "custom_id;First name;SHOE SIZE\r\nü;Ada;41\r\n",
        "\ufeffCustom ID\tFIRST_NAME\tshoe_size\nü\tAda\t41",
        '"custom_id","first name","Shoe  size"\n\n"ü","Ada","41"\n,,\n\n',
    ],
)
def test_a_file_is_read_however_it_is_written(platform: Served, token: str, text: str) -> None:
    assert statuses(imported(platform, token, "users", text))[0][1] == "created"
    told = user(platform, token, "%C3%BC")
    assert (told["first_name"], told["shoe_size"]) == ("Ada", "41")


def test_cells_are_of_the_type_that_their_attribute_has(platform: Served, token: str) -> None:
    sent = {"points": 1.5, "is_vip": False, "likes": ["x"], "zip": "0"}
    platform.call(token, "POST", USERS, {"custom_id": "a", **sent})
    text = 'custom_id,points,is_vip,likes,zip,other\nb,2.25,TRUE,"[""y""]",01234,7\n'
    imported(platform, token, "users", text)
    told = user(platform, token, "b")
    assert [told[name] for name in ("points", "is_vip", "likes", "zip", "other")] == [
        2.25, True, ["y"], "01234", "7",
    ]  # fmt: skip


def test_an_attribute_is_known_by_what_people_call_it(platform: Served, token: str) -> None:
    made = {"name": "shoe", "content_type": "clientuser", "value_type": "integer"}
    made["display_name"] = "Size of shoes"
    reply = platform.call(token, "POST", "/api/public/attributes/", made)
    assert reply.status == 201, reply.text
    name = reply.json["name_std"]
    called = reply.json["name"]
    imported(platform, token, "users", f"custom_id,{called.upper()}\na,41\n")
    assert user(platform, token, "a")[name] == 41


def test_a_cell_that_was_marked_for_a_spreadsheet_is_what_it_was(
    platform: Served, token: str
) -> None:
    text = "custom_id,first_name,last_name,city\n'-1,'=cmd,''+x,'quoted\n"
    imported(platform, token, "users", text)
    told = user(platform, token, "-1")
    names = ("first_name", "last_name", "city")
    assert [told[name] for name in names] == ["=cmd", "'+x", "'quoted"]


def test_columns_that_are_told_and_not_set_are_ignored_and_named(
    platform: Served, token: str
) -> None:
    report = imported(platform, token, "users", "id,custom_id,Created at\n99,a,2020-01-01\n")
    assert report["totals"]["ignored_columns"] == ["id", "created_at"]
    assert user(platform, token, "a")["id"] == 1


def test_an_order_has_its_lines_in_a_cell_or_in_rows_that_follow_one_another(
    platform: Served, token: str
) -> None:
    imported(platform, token, "users", "custom_id\nada\n")
    text = (
        "custom_id,user_custom_id,value,product_custom_id,product_quantity,product_value\n"
        "O1,ada,12.50,A,2,5\n"
        "O1,,,B,,2.50\n"
        "O2,ada,1,,,\n"
        "O3,ada,,A,1,1\n"
        "O3,ada,,A,1,2\n"
    )
    report = imported(platform, token, "deals", text)
    assert [(each["row"], each.get("rows")) for each in report["results"]] == [
        (2, 2), (4, None), (5, 2),
    ]  # fmt: skip
    assert (report["totals"]["rows"], report["totals"]["created"]) == (5, 5)
    lines = deal(platform, token, "O1")["order_products"]
    assert [(each["product_custom_id"], each["quantity"], each["value"]) for each in lines] == [
        ("A", 2, 5), ("B", 1, 2.5),
    ]  # fmt: skip
    assert deal(platform, token, "O2")["order_products"] == []
    cell = json.dumps(lines).replace('"', '""')
    again = imported(platform, token, "deals", f'custom_id,order_products\nO1,"{cell}"\n')
    assert statuses(again) == [(2, "unchanged")]


def test_rows_of_one_order_that_do_not_agree_or_stand_apart_are_refused_before_any_is_written(
    platform: Served, token: str
) -> None:
    head = "custom_id,name,order_products,product_custom_id\n"
    report = imported(
        platform,
        token,
        "deals",
        head
        + 'O1,a,,A\nO1,b,,B\nO2,,"[{""product_custom_id"":""A""}]",B\nO3,,,A\nO4,,,A\nO3,,,B\n',
    )
    assert errors(report) == {
        2: ["name"], 4: ["order_products"], 5: ["custom_id"], 7: ["custom_id"],
    }  # fmt: skip
    assert [status for _, status in statuses(report)].count("created") == 1
    assert platform.counts()["deals"] == 1


BAD_CELLS = [
    ("value", "a lot"),
    ("stage", "99"),
    ("status", "won"),
    ("currency", "XXQ"),
    ("order_products", "[{]"),
    ("order_products", '[{""quantity"":1}]'),
    ("order_products", '[{""product_custom_id"":""A"",""value"":1e999}]'),
    ("participants", "[" * 40 + "]" * 40),
    ("size", "a\0b"),
    ("likes", '[1e400, ""\\ud800""]'),
]


@pytest.mark.parametrize(("name", "text"), BAD_CELLS)
def test_a_cell_that_is_wrong_refuses_its_row_alone(
    platform: Served, token: str, name: str, text: str
) -> None:
    platform.call(token, "POST", DEALS, {"custom_id": "O0", "likes": [1]})
    report = imported(platform, token, "deals", f'custom_id,{name}\nO1,\nO2,"{text}"\nO3,\n')
    told = dict(statuses(report))
    assert (told[2], told[4]) == ("created", "created")
    assert told[3] == ("created" if name == "likes" else "refused")
    assert platform.counts()["deals"] == (4 if name == "likes" else 3)


def test_an_order_of_somebody_unknown_is_refused_with_the_reason(
    platform: Served, token: str
) -> None:
    report = imported(platform, token, "deals", "custom_id,user_custom_id\nO1,nobody\n")
    report["results"] += imported(platform, token, "deals", "custom_id,user_id\nO2,9\n")["results"]
    assert [list(each["errors"]) for each in report["results"]] == [["user_custom_id"], ["user_id"]]
    assert "before their orders" in report["results"][0]["errors"]["user_custom_id"][0]


def test_a_value_that_does_not_fit_its_attribute_is_a_warning_on_its_row(
    platform: Served, token: str
) -> None:
    made = {"name": "age", "content_type": "clientuser", "value_type": "integer"}
    assert platform.call(token, "POST", "/api/public/attributes/", made).status == 201
    report = imported(platform, token, "users", "custom_id,age\na,7\nb,old\n")
    assert [len(each.get("warnings", ())) for each in report["results"]] == [0, 1]


def test_a_warning_about_a_column_is_given_once(platform: Served, token: str) -> None:
    report = imported(platform, token, "users", "custom_id,Firstname\na,Ada\nb,Bob\n")
    first, second = report["results"]
    assert "first_name" in first["warnings"][0]
    assert "warnings" not in second


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n\n",
        b"\xff\xfe",
        "custom_id\nü\n".encode("latin-1"),
        b"name,city\nx,y\n",
        b"custom_id,city,City\na,b,c\n",
        b"custom_id,,city\na,b,c\n",
        b"custom_id," + b"x" * 200 + b"\n",
        b'custom_id,"city\n',
        b",".join(b"custom_id c%d" % n for n in range(1_001)),
    ],
    ids=len,
)
def test_a_file_whose_header_will_not_do_is_refused_whole(
    platform: Served, token: str, text: bytes
) -> None:
    reply = platform.call(token, "POST", f"{IMPORT}/users/", body=text)
    assert reply.status == 400
    assert platform.counts()["contacts"] == 0


def test_where_a_file_is_no_csv_any_more_it_is_read_no_further_and_says_so(
    platform: Served, token: str
) -> None:
    text = 'custom_id,city\na,York\nb,"Hull\nc,Leeds\nd,Bath\n'
    report = imported(platform, token, "users", text)
    assert statuses(report) == [(2, "created"), (3, "refused")]
    assert "nothing from here on was read" in report["results"][1]["errors"]["row"][0]


def test_a_row_with_more_cells_than_columns_is_refused_and_one_with_fewer_is_not(
    platform: Served, token: str
) -> None:
    report = imported(platform, token, "users", "custom_id,city\na,York,x\nb\n")
    assert statuses(report) == [(2, "refused"), (3, "created")]


def test_rows_are_told_with_the_lines_on_which_they_begin(platform: Served, token: str) -> None:
    text = 'custom_id,city\na,"two\nlines"\n\nb,York\n'
    assert [row for row, _ in statuses(imported(platform, token, "users", text))] == [2, 5]


def test_what_is_imported_counts_as_back_filled_unless_it_is_said_otherwise(
    platform: Served, token: str
) -> None:
    imported(platform, token, "users", "custom_id\na\n")
    imported(platform, token, "users", "custom_id\nb\n", **{"X-Ordertrail-Origin": "live"})
    assert [row[-1] for row in platform.rows("journal")] == ["backfill", "live"]
    headers = {"X-Ordertrail-Origin": "nonsense"}
    reply = platform.call(
        token, "POST", f"{IMPORT}/users/", body=b"custom_id\nc\n", headers=headers
    )
    assert reply.status == 400
    assert platform.counts()["contacts"] == 2


def test_a_file_is_written_in_parts_and_may_be_larger_than_another_body(
    platform: Served, token: str
) -> None:
    rows = "".join(f"u{number},{'x' * 1_500}\n" for number in range(3 * PART_MAX))
    text = f"custom_id,about\n{rows}"
    assert len(text) > platform.settings.body_bytes_max
    report = imported(platform, token, "users", text)
    assert report["totals"]["created"] == 3 * PART_MAX
    assert [row for row, _ in statuses(report)] == list(range(2, 2 + 3 * PART_MAX))
    size = {"Content-Length": str(BYTES_MAX + 1)}
    reply = platform.call(token, "POST", f"{IMPORT}/users/", body=b"custom_id\n", headers=size)
    assert reply.status == 413


def test_who_leaves_in_the_middle_has_the_rows_that_were_reported(
    platform: Served, token: str
) -> None:
    body = ("custom_id\n" + "".join(f"u{n}\n" for n in range(10 * PART_MAX))).encode()
    reply = platform.call(
        token, "POST", f"{IMPORT}/users/", body=body, headers=LINES, leaves_after=1
    )
    assert len(reply.raw.splitlines()) == PART_MAX
    assert PART_MAX <= platform.counts()["contacts"] < 10 * PART_MAX


# ---- dry runs ----


FILES = {
    "users": (
        "custom_id,email,city\na,,York\nb,b@shop.test,\n,B@shop.test,Hull\nb,,Hull\nc,bad,\n"
        + "".join(f"u{number},,\n" for number in range(2 * PART_MAX))
        + "b,,\nu1,u1@shop.test,\n,u1@shop.test,York\nu1,,York\nu7,,Bath\n"
    ),
    "products": (
        "custom_id,name,price\na,Lamp,1\nb,Chair,2\na,Lamp,2\n"
        + "".join(f"p{number},x,\n" for number in range(2 * PART_MAX))
        + "b,Chair,2\np3,y,\n"
    ),
    "deals": (
        "custom_id,user_custom_id,stage\nO1,a,1\nO2,nobody,1\nO3,a,99\nO1,,2\nO1,a,2\n"
        + "".join(f"D{number},a,1\n" for number in range(2 * PART_MAX))
        + "D5,a,2\nO1,,1\n"
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_dry_run_tells_what_the_real_one_then_does_and_leaves_no_trace(
    platform: Served, token: str, name: str
) -> None:
    platform.call(token, "POST", USERS, {"custom_id": "a", "city": "Hull"})
    before = platform.everything()
    dry = imported(platform, token, name, FILES[name], "?dry_run=true")
    assert platform.everything() == before
    real = imported(platform, token, name, FILES[name], "?dry_run=false")
    assert sorted(statuses(dry)) == statuses(real)
    assert {**real["totals"], "dry_run": True} == dry["totals"]
    assert errors(dry) == errors(real)
    new = [each for each in dry["results"] if each["status"] == "created"]
    assert new
    assert {each["id"] for each in new} == {None}


def test_whether_a_run_is_dry_is_said_by_true_or_false(platform: Served, token: str) -> None:
    body = b"custom_id\na\n"
    reply = platform.call(token, "POST", f"{IMPORT}/users/?dry_run=maybe", body=body)
    assert (reply.status, list(reply.json["errors"])) == (400, ["dry_run"])
    assert platform.counts()["contacts"] == 0
