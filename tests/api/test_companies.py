"""Companies over the API, in both versions of names: what is said of them, and their members."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

import asgi
from ordertrail.domain.journal import Subject
from ordertrail.store import journal
from served import Served

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"
V1 = {"Accept": "*/*"}
BOTH = ("companies/1", "companies-by-id/acme")
WHOLE: dict[str, Any] = {
    "custom_id": "acme",
    "name": "Acme",
    "email": "info@acme.test",
    "address": "1 High Street",
    "city": "York",
    "region": "Yorkshire",
    "country": "UK",
    "postal_code": "YO1 7HH",
    "phone_numbers": ["+44 1904 1", "+44 1904 2"],
    "size": 12,
    "category": "Lamps",
    "description": "Makes lamps",
}


class Shop:
    """A workspace and a key to it."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> asgi.Reply:
        return self.platform.call(self.token, method, f"{PUBLIC}/{path}", body, **more)

    def company(self, **said: Any) -> dict[str, Any]:
        body = {"custom_id": "acme", "name": "Acme", **said}
        reply = self.call("POST", "companies/update_or_create/", body)
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def told(self, path: str = BOTH[0], **more: Any) -> dict[str, Any]:
        return dict(self.call("GET", f"{path}/", **more).json)

    def person(self, custom_id: str = "ada") -> int:
        body = {"custom_id": custom_id}
        return int(self.call("POST", "users/update_or_create/", body).json["id"])

    def batch(self, *operations: tuple[str, str, Any]) -> list[tuple[int, Any]]:
        sent = [
            {"method": method, "path": f"{PUBLIC}/{path}", "body": body}
            for method, path, body in operations
        ]
        reply = self.platform.call(self.token, "POST", f"{OWN}/batch/", {"operations": sent})
        return [(each["status"], each["body"]) for each in reply.json["results"]]

    def entries(self, subject: Subject = Subject.COMPANY) -> list[journal.Entry]:
        read = self.platform.database.read
        return read(lambda reader: journal.of_subject(reader, 1, subject, 1, 100))


@pytest.fixture
def shop(platform: Served, token: str) -> Shop:
    return Shop(platform, token)


def warned(reply: asgi.Reply) -> list[str]:
    return list(json.loads(reply.headers.get("x-ordertrail-warnings", "[]")))


def test_a_company_is_created_and_told_back_whole(shop: Shop) -> None:
    made = shop.call("POST", "companies/", {**WHOLE, "tags": ["vip"], "Plan name": "pro"})
    assert made.status == 201
    times = {name: made.json[name] for name in ("created_at", "updated_at")}
    assert made.json == {
        **WHOLE,
        **times,
        "id": 1,
        "employees": [],
        "tags": [{"id": 1, "name": "vip"}],
        "plan_name": "pro",
    }
    for path in BOTH:
        assert shop.told(path) == made.json
    assert shop.call("GET", "companies/").json["results"] == [made.json]


def test_what_nobody_said_of_a_company_is_told_as_nothing(shop: Shop) -> None:
    shop.call("POST", "companies/", {"name": "Acme"})
    told = shop.told()
    assert told["custom_id"] is None
    assert told["phone_numbers"] == told["employees"] == told["tags"] == []
    assert {told[name] for name in ("email", "city", "size", "description")} == {None}


def test_version_1_lists_attributes_and_calls_the_shops_id_company_id(shop: Shop) -> None:
    sent = {"company_id": 7, "name": "Acme", "plan": "pro"}
    made = shop.call("POST", "companies/", sent, headers=V1).json
    [attribute] = made.pop("attributes")
    assert (attribute["name_std"], attribute["value"]) == ("plan", "pro")
    assert made["company_id"] == "7"
    assert not made.keys() & {"custom_id", "plan"}
    assert shop.told("companies-by-id/7")["custom_id"] == "7"
    nested = {"attributes": [{"name_std": "plan", "value": "free"}]}
    shop.call("PUT", "companies/1/", nested, headers=V1)
    assert shop.told()["plan"] == "free"
    one = shop.told(headers=V1)
    assert shop.call("GET", "companies/", headers=V1).json["results"] == [one]


def test_an_upsert_creates_once_and_then_changes_what_is_sent(shop: Shop) -> None:
    assert shop.company(city="York")["created"] is True
    again = shop.company(country="UK")
    assert again["created"] is False
    assert (again["city"], again["country"], again["id"]) == ("York", "UK", 1)
    assert shop.call("POST", "companies/update_or_create/", {"custom_id": "acme"}).status == 200
    assert len(shop.entries()) == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"custom_id": None}, "custom_id"),
        ({"custom_id": ""}, "custom_id"),
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"city": "x" * 65}, "city"),
        ({"city": ["York"]}, "city"),
        ({"email": True}, "email"),
        ({"postal_code": "x" * 33}, "postal_code"),
        ({"description": "x" * 10_001}, "description"),
        ({"phone_numbers": ["1"] * 21}, "phone_numbers"),
        ({"phone_numbers": ["1", ""]}, "phone_numbers[1]"),
        ({"phone_numbers": {"home": "1"}}, "phone_numbers[0]"),
        ({"size": True}, "size"),
        ({"size": {"from": 1}}, "size"),
        ({"tags": "vip"}, "tags"),
    ],
)
def test_what_is_wrong_is_refused_by_field(shop: Shop, wrong: dict[str, Any], field: str) -> None:
    body = {"custom_id": "acme", "name": "Acme", **wrong}
    reply = shop.call("POST", "companies/update_or_create/", body)
    assert reply.status == 400
    assert reply.json["errors"].keys() == {field}
    assert shop.call("GET", "companies/").json["count"] == 0


def test_values_are_taken_in_the_spellings_of_clients(shop: Shop) -> None:
    shop.company(phone_numbers="+44 1", size="11-50", postal_code=60311)
    told = shop.told()
    assert (told["phone_numbers"], told["size"]) == (["+44 1"], "11-50")
    assert told["postal_code"] == "60311"
    shop.company(phone_numbers=[441904], size=7.0, city=None)
    told = shop.told()
    assert (told["phone_numbers"], told["size"], told["city"]) == (["441904"], 7, None)


def test_a_creation_that_is_sent_again_answers_what_is_there(shop: Shop) -> None:
    first = shop.call("POST", "companies/", {**WHOLE, "tags": ["vip"]})
    again = shop.call("POST", "companies/", {**WHOLE, "tags": ["vip"]})
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    for other in ({"city": "Hull"}, {"tags": ["new"]}):
        refused = shop.call("POST", "companies/", {**WHOLE, **other})
        assert refused.status == 400
        assert refused.json["errors"].keys() == {"custom_id"}
    anonymous = [shop.call("POST", "companies/", {"name": "Acme"}) for _ in range(2)]
    assert [each.status for each in anonymous] == [201, 201]
    assert len({each.json["id"] for each in anonymous}) == 2


@pytest.mark.parametrize("path", BOTH)
def test_a_change_touches_what_is_sent(shop: Shop, path: str) -> None:
    shop.company(**WHOLE)
    told = shop.call("PUT", f"{path}/", {"city": None, "size": 13}).json
    assert (told["city"], told["size"], told["country"]) == (None, 13, "UK")
    assert told == shop.told(path)
    assert shop.entries()[0].changes == {"city": ("York", None), "size": (12, 13)}


def test_a_custom_id_may_change_but_not_to_anothers(shop: Shop) -> None:
    shop.company()
    shop.call("POST", "companies/", {"custom_id": "other", "name": "Other"})
    refused = shop.call("PUT", "companies/1/", {"custom_id": "other"})
    assert refused.json["errors"].keys() == {"custom_id"}
    assert shop.call("PUT", "companies/1/", {"custom_id": "new"}).json["custom_id"] == "new"
    assert shop.call("GET", "companies-by-id/acme/").status == 404
    assert shop.told("companies-by-id/new")["id"] == 1


@pytest.mark.parametrize("path", BOTH)
def test_a_company_is_deleted_and_its_members_stay(shop: Shop, path: str) -> None:
    shop.company(tags=["vip"])
    ada = shop.person()
    shop.call("POST", "companies/1/add_member/", {"user_id": ada})
    # Without its last slash, as one shop's plugin sends it.
    assert shop.call("DELETE", path).json == {"id": 1, "deleted": True}
    for method, body in (("GET", None), ("PUT", {"city": "x"}), ("DELETE", None)):
        assert shop.call(method, f"{path}/", body).status == 404
    assert shop.told(f"users/{ada}")["companies"] == []
    assert shop.call("GET", "tags/1/companies/").json["count"] == 0
    assert shop.entries()[0].changes == {"id": (1, None)}
    assert shop.company()["id"] == 2


# ---- members ----


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("who", [{"user_id": 1}, {"user_id": "1"}, {"user_custom_id": "ada"}])
def test_a_contact_becomes_a_member_once_and_leaves(
    shop: Shop, path: str, who: dict[str, Any]
) -> None:
    shop.company()
    shop.person()
    for _ in range(2):
        assert shop.call("POST", f"{path}/add_member/", who).json["employees"] == [1]
    [membership] = shop.told("users/1")["companies"]
    assert (membership["id"], membership["name"]) == (1, "Acme")
    since = membership["member_since"]
    assert since == shop.told()["updated_at"]
    [member] = shop.call("GET", f"{path}/members/").json["results"]
    assert member == shop.told("users/1")
    [older] = shop.call("GET", f"{path}/members/", headers=V1).json["results"]
    assert older == shop.told("users/1", headers=V1)
    for method in ("POST", "DELETE"):
        assert shop.call(method, f"{path}/remove_member/", who).json["employees"] == []
    assert [each.changes.get("employees") for each in shop.entries()] == [
        (1, None),
        (None, 1),
        None,
    ]
    assert [each.contact_id for each in shop.entries()] == [1, 1, None]


def test_only_somebody_can_be_a_member(shop: Shop) -> None:
    shop.company()
    for part in ("add_member", "remove_member"):
        nobody = shop.call("POST", f"companies/1/{part}/", {"user_custom_id": "nobody"})
        assert nobody.status == 404
        unnamed = shop.call("POST", f"companies/1/{part}/", {})
        assert (unnamed.status, unnamed.json["errors"].keys()) == (400, {"user_custom_id"})
        shop.person()
        assert shop.call("POST", f"companies/9/{part}/", {"user_id": 1}).status == 404
    assert shop.call("GET", "companies/9/members/").status == 404


def test_members_are_listed_page_by_page(shop: Shop) -> None:
    shop.company()
    people = [shop.person(f"p{number}") for number in range(105)]
    shop.batch(*(("POST", "companies/1/add_member/", {"user_id": each}) for each in people))
    assert shop.told()["employees"] == people
    first = shop.call("GET", "companies/1/members/").json
    assert first["count"] == 105
    second = shop.call("GET", f"companies/1/members/?{urlsplit(first['next']).query}").json
    assert [each["id"] for each in first["results"] + second["results"]] == people[::-1]


def test_a_member_that_is_merged_or_deleted_is_so_in_the_company(shop: Shop) -> None:
    shop.company()
    ada, same, ben = (shop.person(each) for each in ("ada", "same", "ben"))
    for each in (same, ben):
        shop.call("POST", "companies/1/add_member/", {"user_id": each})
    shop.call("POST", "users/merge/", {"parent": ada, "users_list": [same]})
    assert shop.told()["employees"] == [ada, ben]
    shop.call("DELETE", f"users/{ben}/")
    assert shop.told()["employees"] == [ada]
    assert shop.call("POST", "companies/1/add_member/", {"user_id": same}).json["employees"] == [
        ada
    ]


def test_a_membership_is_on_the_timeline_of_the_contact(shop: Shop) -> None:
    shop.company()
    shop.person()
    shop.call("POST", "companies/1/add_member/", {"user_id": 1})
    newest = shop.call("GET", "users/1/timeline/").json["results"][0]
    assert (newest["type"], newest["company_id"]) == ("company_changed", 1)


# ---- single fields and tags ----


@pytest.mark.parametrize("path", BOTH)
def test_single_fields_are_set_and_removed(shop: Shop, path: str) -> None:
    shop.company()
    sent = {"attribute": "Plan name", "value": "pro"}
    assert shop.call("POST", f"{path}/set_attribute/", sent).json == sent
    several = {"plan_name": "free", "city": "York"}
    assert shop.call("POST", f"{path}/set_multiple_attributes/", several).json == several
    nested = {"attributes": several}
    assert shop.call("POST", f"{path}/set_multiple_attributes/", nested).json == several
    told = shop.told()
    assert (told["plan_name"], told["city"]) == ("free", "York")
    for method, name in (("POST", "Plan name"), ("DELETE", "city"), ("POST", "unset")):
        reply = shop.call(method, f"{path}/remove_attribute/", {"attribute": name})
        assert reply.json == {"attribute": name}
    told = shop.told()
    assert "plan_name" not in told
    assert told["city"] is None
    for name in ("name", "custom_id", "id", "tags"):
        refused = shop.call("POST", f"{path}/remove_attribute/", {"attribute": name})
        assert refused.status == 400
    assert shop.call("POST", f"{path}/set_attribute/", {"attribute": "x"}).status == 400


@pytest.mark.parametrize("path", BOTH)
def test_tags_are_put_on_and_taken_off(shop: Shop, path: str) -> None:
    shop.company()
    tag = {"id": 1, "name": "vip"}
    added = shop.call("POST", f"{path}/add_tag/", {"name": "vip"})
    assert added.json == {"created": True, "tag": tag}
    again = shop.call("POST", f"{path}/add_tag/", {"name": "vip"})
    assert again.json == {"created": False, "tag": tag}
    assert shop.told()["tags"] == [tag]
    assert shop.call("GET", "tags/1/companies/").json["results"] == [shop.told()]
    older = shop.call("GET", "tags/1/companies/", headers=V1).json["results"]
    assert older == [shop.told(headers=V1)]
    for method in ("POST", "DELETE"):
        gone = shop.call(method, f"{path}/remove_tag/", {"name": "vip"})
        assert gone.json == {"tag": {"name": "vip"}}
        assert shop.told()["tags"] == []
    changed = [each.changes for each in shop.entries() if not each.is_new]
    assert changed == [{"tags": (["vip"], [])}, {"tags": ([], ["vip"])}]


def test_tags_in_a_body_are_put_on_besides(shop: Shop) -> None:
    shop.company(tags=["a"])
    assert [each["name"] for each in shop.company(tags=["b"])["tags"]] == ["a", "b"]
    assert [each["name"] for each in shop.company(tags=shop.told()["tags"])["tags"]] == ["a", "b"]


def test_what_is_told_and_not_set_is_ignored_with_a_warning(shop: Shop) -> None:
    shop.company()
    reply = shop.call("PUT", "companies/1/", {"employees": [7], "postalCode": "x", "id": 9})
    assert warned(reply) == [
        "employees: ignored: it is told, not set",
        "postalCode: kept as the attribute postalcode; the field is called postal_code",
        "id: ignored: it is told, not set",
    ]
    assert (reply.json["employees"], reply.json["id"]) == ([], 1)


def test_attributes_of_companies_are_held_against_their_definitions(shop: Shop) -> None:
    body = {"content_type": "company", "name": "Seats", "value_type": "integer"}
    shop.call("POST", "attributes/", body)
    assert shop.company(seats="12")["seats"] == 12
    reply = shop.call("PUT", "companies/1/", {"seats": "many"})
    assert warned(reply) == ["seats: left out: must be a whole number"]
    shop.platform.call(shop.token, "PUT", f"{OWN}/workspace/", {"strict": True})
    refused = shop.call("PUT", "companies/1/", {"seats": "many", "plan": "pro"})
    assert refused.json["errors"].keys() == {"seats", "plan"}
    named = shop.call("POST", "attributes/", {**body, "name": "City"})
    assert named.json["errors"].keys() == {"name"}


# ---- lists ----


def test_companies_are_found_by_filters_and_times(shop: Shop) -> None:
    for name, city, seats in (("Acme", "York", 5), ("Bolt", "Hull", 50), ("Core", "York", 500)):
        body = {"custom_id": name.lower(), "name": name, "city": city, "seats": seats}
        shop.call("POST", "companies/", body)

    def found(query: str, **more: Any) -> list[str]:
        reply = shop.call("GET", f"companies/?{query}", **more)
        assert reply.status == 200, reply.text
        return [each["name"] for each in reply.json["results"]]

    assert found("") == ["Core", "Bolt", "Acme"]
    assert found("city=York") == ["Core", "Acme"]
    assert found("city=York&seats__gte=100") == ["Core"]
    assert found("name__icontains=OL") == ["Bolt"]
    assert found("custom_id=acme") == found("company_id=acme", headers=V1) == ["Acme"]
    assert found("search=created_at&min=0") == ["Core", "Bolt", "Acme"]
    assert found("search=created_at&max=1") == []
    assert shop.call("GET", "companies/?city__near=York").status == 400
    assert shop.call("GET", "companies/?search=city&min=1").status == 400
    odd = shop.call("GET", "companies/?towns=York")
    assert (odd.json["count"], warned(odd)) == (0, ["towns: no company has such a field"])


def test_one_company_in_a_batch_is_written_as_often_as_it_is_said(shop: Shop) -> None:
    shop.person()
    said = {"custom_id": "acme", "name": "Acme"}
    told = shop.batch(
        ("POST", "companies/update_or_create/", {**said, "tags": ["a"]}),
        ("POST", "companies/update_or_create/", {**said, "city": "York", "tags": ["b"]}),
        ("POST", "companies/update_or_create/", {"custom_id": "nameless"}),
        ("POST", "companies/update_or_create/", {**said, "city": "Hull"}),
        ("POST", "companies-by-id/acme/add_member/", {"user_id": 1}),
        ("DELETE", "companies-by-id/acme/remove_member/", {"user_id": 1}),
        ("POST", "companies-by-id/acme/add_member/", {"user_custom_id": "ada"}),
        ("DELETE", "companies/1/", {}),
        ("DELETE", "companies/1/", {}),
    )
    assert [status for status, _ in told] == [200, 200, 400, 200, 200, 200, 200, 200, 404]
    assert [body.get("created") for _, body in told[:4]] == [True, False, None, False]
    assert told[6][1]["employees"] == [1]
    assert (told[6][1]["city"], len(told[6][1]["tags"])) == ("Hull", 2)
    assert shop.platform.rows("company_members") == shop.platform.rows("companies") == []
