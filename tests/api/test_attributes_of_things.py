"""Attributes over the API: what is defined, what is kept of what is sent, and strictness."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

import asgi
from served import Served

PUBLIC = "/api/public"
WORKSPACE = "/api/ordertrail/v1/workspace/"
V1 = {"Accept": "*/*"}

KINDS = {"clientuser": "users", "deal": "deals", "product": "products"}
CREATE = {
    "clientuser": f"{PUBLIC}/users/update_or_create/",
    "deal": f"{PUBLIC}/deals/update_or_create/",
    "product": f"{PUBLIC}/products/",
}


class Shop:
    """A workspace and a key to it."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> asgi.Reply:
        return self.platform.call(self.token, method, path, body, **more)

    def define(self, **sent: Any) -> asgi.Reply:
        body = {"content_type": "deal", "name": "Gift wrap", "value_type": "boolean", **sent}
        return self.call("POST", f"{PUBLIC}/attributes/", body)

    def say(self, kind: str, **attributes: Any) -> asgi.Reply:
        name = {} if kind == "clientuser" else {"name": "A"}
        return self.call("POST", CREATE[kind], {"custom_id": "a", **name, **attributes})

    def told(self, kind: str) -> dict[str, Any]:
        return dict(self.call("GET", f"{PUBLIC}/{KINDS[kind]}-by-id/a/").json)

    def all(self, query: str = "", **more: Any) -> dict[str, Any]:
        return dict(self.call("GET", f"{PUBLIC}/attributes/{query}", **more).json)

    def be_strict(self) -> None:
        assert self.call("PUT", WORKSPACE, {"strict": True}).json["strict"] is True


@pytest.fixture
def shop(platform: Served, token: str) -> Shop:
    return Shop(platform, token)


def warned(reply: asgi.Reply) -> list[str]:
    return list(json.loads(reply.headers.get("x-ordertrail-warnings", "[]")))


# ---- definitions ----


def test_an_attribute_is_defined_and_told_back(shop: Shop) -> None:
    made = shop.define(description="Paper and ribbon")
    assert made.status == 201
    assert made.json == {
        "id": 1,
        "name": "Gift wrap",
        "name_std": "gift_wrap",
        "value_type": "boolean",
        "content_type": "deal",
        "choices": [],
        "allow_multiple_choices": False,
        "description": "Paper and ribbon",
        "is_inferred": False,
    }
    assert shop.call("GET", f"{PUBLIC}/attributes/1/").json == made.json
    assert shop.all()["results"] == [made.json]


@pytest.mark.parametrize("kind", ["clientuser", "company", "deal", "product"])
@pytest.mark.parametrize(
    "value_type", ["Boolean", "date", "datetime", "float", "integer", "string"]
)
def test_every_kind_of_thing_has_attributes_of_every_type(
    shop: Shop, kind: str, value_type: str
) -> None:
    made = shop.define(content_type=kind, value_type=value_type)
    assert made.status == 201
    assert (made.json["content_type"], made.json["value_type"]) == (kind, value_type.lower())


@pytest.mark.parametrize("kind", ["activity", "ticket", "event", "order"])
def test_what_is_not_kept_here_gets_no_attributes(shop: Shop, kind: str) -> None:
    refused = shop.define(content_type=kind)
    assert refused.status == 400
    [said] = refused.json["errors"]["content_type"]
    assert "must be one of: clientuser, company, deal, product" in said
    assert shop.all()["results"] == []


def test_attributes_of_what_is_not_kept_can_be_asked_for(shop: Shop) -> None:
    for kind in ("activity", "ticket"):
        assert shop.all(f"?content_type={kind}")["results"] == []


def test_a_contact_is_a_user_in_version_1_and_either_word_is_taken(shop: Shop) -> None:
    assert shop.define(content_type="user").json["content_type"] == "clientuser"
    older = shop.all("?content_type=user", headers=V1)["results"]
    newer = shop.all("?content_type=clientuser")["results"]
    assert [each["content_type"] for each in older] == ["user"]
    assert [each["content_type"] for each in newer] == ["clientuser"]
    assert shop.all("?content_type=deal")["results"] == []
    assert shop.call("GET", f"{PUBLIC}/attributes/?content_type=order").status == 400


def test_choices_belong_to_the_type_fixed(shop: Shop) -> None:
    sizes = {"name": "Size", "value_type": "fixed", "choices": ["S", "M", 42]}
    made = shop.define(**sizes, allow_multiple_choices=True)
    assert made.json["choices"] == ["S", "M", "42"]
    assert made.json["allow_multiple_choices"] is True
    other = shop.define(name="Other", choices=["a"])
    assert other.json["choices"] == []
    assert warned(other) == ["choices: ignored: only an attribute of the type fixed has them"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 33}, "name"),
        ({"name": "   "}, "name"),
        ({"name": None}, "name"),
        ({"name": "Name"}, "name"),
        ({"name": "user_id"}, "name"),
        ({"content_type": "order"}, "content_type"),
        ({"content_type": "event"}, "content_type"),
        ({"content_type": None}, "content_type"),
        ({"value_type": "number"}, "value_type"),
        ({"value_type": 7}, "value_type"),
        ({"value_type": "fixed"}, "choices"),
        ({"value_type": "fixed", "choices": []}, "choices"),
        ({"value_type": "fixed", "choices": ["a", "a"]}, "choices"),
        ({"value_type": "fixed", "choices": ["a", ""]}, "choices[1]"),
        ({"value_type": "fixed", "choices": "a"}, "choices"),
        ({"value_type": "fixed", "choices": ["x"] * 101}, "choices"),
        ({"allow_multiple_choices": "perhaps"}, "allow_multiple_choices"),
        ({"description": "x" * 1_001}, "description"),
        ({"description": 7}, "description"),
    ],
    ids=str,
)
def test_a_wrong_definition_is_refused_by_field(
    shop: Shop, wrong: dict[str, Any], field: str
) -> None:
    reply = shop.define(**wrong)
    assert reply.status == 400
    assert reply.json["errors"].keys() == {field}
    assert shop.all()["count"] == 0


def test_the_same_definition_again_answers_the_one_that_is_there(shop: Shop) -> None:
    first = shop.define(value_type="fixed", choices=["a", "b"])
    again = shop.define(name="gift WRAP", value_type="fixed", choices=["b", "a"], description="x")
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    for other in (
        {"value_type": "string"},
        {"value_type": "fixed", "choices": ["a"]},
        {"value_type": "fixed", "choices": ["a", "b"], "allow_multiple_choices": True},
    ):
        refused = shop.define(**other)
        assert refused.status == 400
        assert refused.json["errors"].keys() == {"name"}
    assert shop.define(content_type="product").status == 201


def test_one_name_twice_in_a_batch_is_one_attribute(shop: Shop) -> None:
    body = {"content_type": "deal", "name": "Gift wrap", "value_type": "boolean"}
    types = ("boolean", "boolean", "string")
    sent = [
        {"path": f"{PUBLIC}/attributes/", "body": {**body, "value_type": each}} for each in types
    ]
    told = shop.call("POST", "/api/ordertrail/v1/batch/", {"operations": sent}).json["results"]
    assert [each["status"] for each in told] == [201, 200, 400]
    assert shop.all()["count"] == 1


def test_what_was_inferred_gives_way_and_values_stay_until_they_are_written(shop: Shop) -> None:
    shop.say("deal", gift_wrap="perhaps")
    inferred = shop.all()["results"][0]
    assert (inferred["value_type"], inferred["is_inferred"]) == ("string", True)
    assert inferred["name"] == "gift_wrap"
    made = shop.define()
    assert made.status == 200
    assert made.json == {
        **inferred,
        "name": "Gift wrap",
        "value_type": "boolean",
        "is_inferred": False,
    }
    assert shop.told("deal")["gift_wrap"] == "perhaps"
    shop.say("deal", gift_wrap="yes")
    assert shop.told("deal")["gift_wrap"] is True


def test_a_definition_is_forgotten_and_values_stay(shop: Shop) -> None:
    shop.define()
    shop.say("deal", gift_wrap=True)
    assert shop.call("DELETE", f"{PUBLIC}/attributes/1/").json == {"id": 1, "deleted": True}
    assert shop.told("deal")["gift_wrap"] is True
    for method in ("GET", "DELETE"):
        assert shop.call(method, f"{PUBLIC}/attributes/1/").status == 404
    shop.say("deal", gift_wrap="ribbon")
    assert shop.told("deal")["gift_wrap"] == "ribbon"
    assert shop.define(value_type="string").status == 200


def test_definitions_are_listed_page_by_page_newest_first(shop: Shop) -> None:
    sent = {f"a{number:03}": 1 for number in range(150)}
    shop.say("deal", **sent)
    first = shop.all()
    assert (first["count"], len(first["results"])) == (150, 100)
    second = shop.all(f"?{urlsplit(first['next']).query}")
    names = [each["name_std"] for each in first["results"] + second["results"]]
    assert names == sorted(sent, reverse=True)
    assert second["next"] is None


@pytest.mark.parametrize(
    ("kind", "path"),
    [("user", "users"), ("company", "companies"), ("deal", "deals"), ("product", "products")],
)
def test_the_type_of_an_attribute_is_found_by_its_name(shop: Shop, kind: str, path: str) -> None:
    shop.define(content_type=kind, value_type="date")
    for name in ("gift_wrap", "Gift%20wrap"):
        found = shop.call("GET", f"{PUBLIC}/attribute-type/{name}/{path}/")
        assert found.json == {"value_type": "date"}
    other = "deals" if path != "deals" else "users"
    assert shop.call("GET", f"{PUBLIC}/attribute-type/gift_wrap/{other}/").status == 404
    assert shop.call("GET", f"{PUBLIC}/attribute-type/none/{path}/").status == 404


# ---- values ----


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_kept_as_the_type_that_it_is_defined_as(shop: Shop, kind: str) -> None:
    shop.define(content_type=kind, value_type="integer", name="Points")
    reply = shop.say(kind, points="12")
    assert warned(reply) == []
    assert shop.told(kind)["points"] == 12


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_does_not_fit_is_left_out_with_a_warning(shop: Shop, kind: str) -> None:
    shop.define(content_type=kind, value_type="integer", name="Points")
    shop.say(kind, points=5)
    reply = shop.say(kind, points="many", color="red")
    assert reply.status in (200, 201)
    assert warned(reply) == ["points: left out: must be a whole number"]
    told = shop.told(kind)
    assert (told["points"], told["color"]) == (5, "red")


def test_null_clears_what_is_defined(shop: Shop) -> None:
    shop.define()
    shop.say("deal", gift_wrap=True)
    assert warned(shop.say("deal", gift_wrap=None)) == []
    assert shop.told("deal")["gift_wrap"] is None


def test_a_wrong_spelling_of_a_field_is_kept_and_warned_about(shop: Shop) -> None:
    reply = shop.say("clientuser", firstName="Ada")
    assert warned(reply) == [
        "firstName: kept as the attribute firstname; the field is called first_name"
    ]
    told = shop.told("clientuser")
    assert told["firstname"] == "Ada"
    assert told["first_name"] is None


def test_version_1_lists_every_attribute_with_its_value_and_type(shop: Shop) -> None:
    shop.define(content_type="user", value_type="integer", name="Points", description="Earned")
    shop.define(content_type="user", value_type="string", name="Nickname")
    shop.say("clientuser", points=3)
    told = shop.call("GET", f"{PUBLIC}/users-by-id/a/", headers=V1).json
    assert told["attributes"] == [
        {
            "id": 1,
            "name": "Points",
            "name_std": "points",
            "value": 3,
            "description": "Earned",
            "value_type": "integer",
        },
        {
            "id": 2,
            "name": "Nickname",
            "name_std": "nickname",
            "value": None,
            "description": "",
            "value_type": "string",
        },
    ]
    assert "points" not in told


# ---- strict ----


@pytest.mark.parametrize("kind", KINDS)
def test_a_strict_workspace_refuses_what_is_not_defined_and_what_does_not_fit(
    shop: Shop, kind: str
) -> None:
    shop.say(kind)
    shop.define(content_type=kind, value_type="integer", name="Points")
    shop.be_strict()
    before = shop.told(kind)
    refused = shop.say(kind, points="many", color="red", size=None)
    assert refused.status == 400
    assert refused.json["errors"].keys() == {"points", "color", "size"}
    assert shop.told(kind) == before
    assert shop.all()["count"] == 1
    assert shop.say(kind, points="7").status == 200
    assert shop.told(kind)["points"] == 7


def test_a_strict_workspace_refuses_what_was_inferred_until_it_is_defined(shop: Shop) -> None:
    shop.say("deal", color="red")
    shop.be_strict()
    assert shop.say("deal", color="blue").status == 400
    assert shop.told("deal")["color"] == "red"
    shop.define(name="Color", value_type="string")
    assert shop.say("deal", color="blue").status == 200


def test_a_strict_workspace_takes_the_fields_that_a_thing_has_anyway(shop: Shop) -> None:
    shop.be_strict()
    assert shop.say("clientuser", first_name="Ada", email="ada@shop.test").status == 200
    assert shop.say("deal", value=5, stage=2).status == 200
    assert shop.say("product", price=5).status == 201


def test_a_strict_workspace_refuses_a_misspelt_field(shop: Shop) -> None:
    shop.be_strict()
    refused = shop.say("clientuser", firstName="Ada")
    assert refused.json["errors"].keys() == {"firstname"}


def test_a_strict_workspace_refuses_what_an_event_says_of_its_product(shop: Shop) -> None:
    shop.say("clientuser")
    shop.be_strict()
    body: dict[str, Any] = {"user_custom_id": "a", "event_type": "view"}
    path = f"{PUBLIC}/products-by-id/lamp/product_event/"
    refused = shop.call("POST", path, {**body, "data": {"color": "red"}})
    assert refused.json["errors"].keys() == {"color"}
    assert shop.call("GET", f"{PUBLIC}/products-by-id/lamp/").status == 404
    custom = {**body, "data": {"custom_data": {"color": "red"}, "price": 5}}
    assert shop.call("POST", path, custom).status == 201


def test_one_that_is_refused_in_a_strict_batch_spoils_no_other(shop: Shop) -> None:
    shop.define()
    shop.be_strict()
    deals = [{"custom_id": str(number), "gift_wrap": number} for number in range(4)]
    sent = [{"path": CREATE["deal"], "body": each} for each in deals]
    told = shop.call("POST", "/api/ordertrail/v1/batch/", {"operations": sent}).json["results"]
    assert [each["status"] for each in told] == [200, 200, 400, 400]
