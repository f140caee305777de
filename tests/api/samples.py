"""A body for every write of the API, about the things that the tests of isolation make."""

from typing import Any

SECRET = "only-of-a"
PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"

DEAL: dict[str, Any] = {"custom_id": SECRET, "user_custom_id": SECRET, "stage": 2}
EVENT: dict[str, Any] = {"name": "seen"}

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", f"{PUBLIC}/users/update_or_create/"): {"custom_id": SECRET, "city": "York"},
    ("POST", f"{PUBLIC}/users/"): {"custom_id": SECRET},
    ("POST", f"{PUBLIC}/users/merge/"): {"parent": 1, "users_list": [1]},
    ("PUT", f"{PUBLIC}/users/mass_update_standard_attributes/"): {
        "ids": [1],
        "attribute": "city",
        "value": "York",
    },
    ("PUT", f"{PUBLIC}/users/mass_update_custom_attributes/"): {
        "ids": [1],
        "attribute": "plan",
        "value": "pro",
    },
    **{
        (method, f"{PUBLIC}/{one}/{part}"): body
        for one in ("users/{id}", "users-by-id/{custom_id}")
        for method, part, body in (
            ("PUT", "", {"city": "York"}),
            ("POST", "set_attribute/", {"attribute": "plan", "value": "pro"}),
            ("POST", "set_multiple_attributes/", {"plan": "pro", "city": "York"}),
            ("POST", "remove_attribute/", {"attribute": "plan"}),
            ("DELETE", "remove_attribute/", {"attribute": "plan"}),
            ("POST", "add_tag/", {"name": "vip"}),
            ("POST", "add_many_tags/", {"tag_names": ["vip", "new"]}),
            ("POST", "remove_tag/", {"name": "vip"}),
            ("DELETE", "remove_tag/", {"name": "vip"}),
            ("POST", "add_to_list/", {"list": 1}),
            ("POST", "remove_from_list/", {"list": 1}),
            ("DELETE", "remove_from_list/", {"list": 1}),
        )
    },
    ("POST", f"{PUBLIC}/users-by-id/{{custom_id}}/events/"): EVENT,
    ("POST", f"{PUBLIC}/users/{{id}}/events/"): EVENT,
    ("POST", f"{PUBLIC}/events/"): {**EVENT, "user_custom_id": SECRET},
    ("POST", f"{PUBLIC}/deals/update_or_create/"): DEAL,
    ("POST", f"{PUBLIC}/deals/"): DEAL,
    ("POST", f"{PUBLIC}/deals-by-id/"): DEAL,
    **{
        (method, f"{PUBLIC}/{one}/{action}_tag/"): {"name": "vip"}
        for method, action in (("POST", "add"), ("POST", "remove"), ("DELETE", "remove"))
        for one in ("deals/{id}", "deals-by-id/{custom_id}")
    },
    **{
        (method, f"{PUBLIC}/{one}/"): {"value": 5, "note": "x"}
        for method in ("PUT", "PATCH")
        for one in ("deals/{id}", "deals-by-id/{custom_id}")
    },
    ("POST", f"{PUBLIC}/products/"): {"custom_id": SECRET, "name": "Lamp"},
    **{
        ("PUT", f"{PUBLIC}/{one}/"): {"price": 5}
        for one in ("products/{id}", "products-by-id/{custom_id}")
    },
    ("POST", f"{PUBLIC}/products/{{id}}/product_event/"): {
        "user_custom_id": SECRET,
        "event_type": "order",
    },
    ("POST", f"{PUBLIC}/products/product_event/"): {
        "product_id": SECRET,
        "user_custom_id": SECRET,
        "event_type": "order",
    },
    ("POST", f"{PUBLIC}/products-by-id/{{custom_id}}/product_event/"): {
        "user_custom_id": SECRET,
        "event_type": "order",
    },
    ("POST", f"{PUBLIC}/attributes/"): {
        "content_type": "deal",
        "name": "Gift wrap",
        "value_type": "boolean",
    },
    ("POST", f"{PUBLIC}/pipelines/"): {"name": "Returns"},
    ("PUT", f"{OWN}/pipelines/{{id}}/"): {"name": "Returns"},
    ("PUT", f"{OWN}/pipelines/{{id}}/order/"): {"stages": [4]},
    ("POST", f"{PUBLIC}/stages/"): {"pipeline": 1, "name": "Packed"},
    ("PUT", f"{OWN}/stages/{{id}}/"): {"name": "Packed"},
    ("DELETE", f"{OWN}/stages/{{id}}/"): {"move_to": 1},
    ("POST", f"{PUBLIC}/tags/"): {"name": "vip"},
    ("PUT", f"{PUBLIC}/tags/{{id}}/"): {"name": "vip"},
    ("POST", f"{PUBLIC}/lists/"): {"name": "Readers"},
    ("PUT", f"{PUBLIC}/lists/{{id}}/"): {"name": "Readers"},
    ("POST", f"{PUBLIC}/companies/"): {"custom_id": "acme", "name": "Acme"},
    ("POST", f"{PUBLIC}/companies/update_or_create/"): {"custom_id": SECRET, "name": "Acme"},
    **{
        (method, f"{PUBLIC}/{one}/{part}"): body
        for one in ("companies/{id}", "companies-by-id/{custom_id}")
        for method, part, body in (
            ("PUT", "", {"city": "York"}),
            ("POST", "add_member/", {"user_custom_id": SECRET}),
            ("POST", "remove_member/", {"user_custom_id": SECRET}),
            ("DELETE", "remove_member/", {"user_id": 1}),
            ("POST", "set_attribute/", {"attribute": "plan", "value": "pro"}),
            ("POST", "set_multiple_attributes/", {"plan": "pro", "city": "York"}),
            ("POST", "remove_attribute/", {"attribute": "plan"}),
            ("DELETE", "remove_attribute/", {"attribute": "plan"}),
            ("POST", "add_tag/", {"name": "vip"}),
            ("POST", "remove_tag/", {"name": "vip"}),
            ("DELETE", "remove_tag/", {"name": "vip"}),
        )
    },
    ("PUT", f"{OWN}/workspace/"): {"name": "Mine", "strict": True},
    ("POST", f"{OWN}/batch/"): {
        "operations": [
            {"method": "POST", "path": f"{PUBLIC}/deals/update_or_create/", "body": DEAL},
            {"method": "POST", "path": f"{PUBLIC}/users-by-id/{SECRET}/events/", "body": EVENT},
        ]
    },
}
"""By method and path; one that needs no body is not here."""

SHEETS: dict[tuple[str, str], bytes] = {
    ("POST", f"{OWN}/import/users/"): f"custom_id,city\n{SECRET},York\n".encode(),
    ("POST", f"{OWN}/import/products/"): f"custom_id,name\n{SECRET},Lamp\n".encode(),
    ("POST", f"{OWN}/import/deals/"): f"custom_id,user_custom_id\n{SECRET},{SECRET}\n".encode(),
}
"""The bodies of those that take no JSON."""

MADE: tuple[tuple[str, dict[str, Any]], ...] = (
    *(
        ("attributes/", {"content_type": kind, "name": SECRET, "value_type": "string"})
        for kind in ("clientuser", "company", "deal", "product")
    ),
    ("pipelines/", {"name": SECRET}),
    ("stages/", {"pipeline": 2, "name": SECRET}),
    ("tags/", {"name": SECRET}),
    ("lists/", {"name": SECRET}),
    ("companies/", {"custom_id": SECRET, "name": SECRET, "tags": [SECRET]}),
    ("companies/1/add_member/", {"user_custom_id": SECRET}),
)
"""What there is one of besides contact, deal, product and events: where it is made, and how."""

NUMBERS = {"pipelines": 2, "stages": 4}
"""Which of a kind an id in a path stands for, where not for the first: that one everybody has."""

QUERIES: dict[tuple[str, str], str] = {
    ("GET", f"{PUBLIC}/users/search/"): f"?email={SECRET}@shop.test&many=true",
    ("GET", f"{PUBLIC}/users-by-id/search/"): f"?email={SECRET}@shop.test",
}
"""What stands behind the path of those that want a query."""

NOBODY_HAS = ("/segments/{id}/",)
"""What is in paths that name nothing in any workspace."""

IN_USE = {
    ("DELETE", f"{PUBLIC}/products/{{id}}/"),
    ("DELETE", f"{PUBLIC}/products-by-id/{{custom_id}}/"),
}
"""What is refused with 409 as long as something stands on it."""

OPEN_TO_ALL = {("GET", f"{OWN}/about/")}
"""Those that a key of any scope may call."""


def sent(method: str, path: str) -> dict[str, Any]:
    """The body of a sample, as a call takes it."""
    sheet = SHEETS.get((method, path))
    return {"json": BODIES.get((method, path))} if sheet is None else {"body": sheet}
