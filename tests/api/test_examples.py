"""The body that the page about the API shows for a call is answered well, just as it stands."""

import pytest

from ordertrail.api.route import OWN, PUBLIC, Route
from ordertrail.api.routes import EVERY
from ordertrail.wire.batch import BatchSent
from ordertrail.wire.companies import CompanySent
from ordertrail.wire.contacts import ContactSent
from ordertrail.wire.deals import DealSent
from ordertrail.wire.examples import EXAMPLES
from ordertrail.wire.groups import GroupSent
from ordertrail.wire.products import ProductSent
from served import Served

FIRST = (
    ("users/", ContactSent),
    ("lists/", GroupSent),
    ("companies/", CompanySent),
    ("products/", ProductSent),
    ("deals/", DealSent),
)
"""What somebody tries first: the examples of what the other calls are about."""

NAMES = {"users": ContactSent, "companies": CompanySent, "products": ProductSent, "deals": DealSent}
WITH_BODY = [route for route in EVERY if route.takes is not None]


def address(route: Route) -> str:
    """The route's address, about the first of its kind; a stage that goes is not the first."""
    group = route.path.removeprefix(PUBLIC).split("/")[1].removesuffix("-by-id")
    number = "2" if (route.method, route.path) == ("DELETE", f"{OWN}/stages/{{id}}/") else "1"
    path = route.path.replace("{id}", number)
    if "{custom_id}" in path:
        path = path.replace("{custom_id}", EXAMPLES[NAMES[group]]["custom_id"])
    return path


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")
def test_the_example_of_a_body_can_be_sent_as_it_is(
    route: Route, platform: Served, token: str
) -> None:
    for path, shape in FIRST:
        made = platform.call(token, "POST", f"{PUBLIC}/{path}", EXAMPLES[shape])
        assert made.status == 201, made.text
    platform.call(token, "POST", f"{PUBLIC}/users/", {"custom_id": "the second"})
    told = platform.call(token, route.method, address(route), EXAMPLES[route.takes])
    assert told.status in (200, 201), told.text
    assert "x-ordertrail-warnings" not in told.headers
    results = told.json["results"] if route.takes is BatchSent else []
    assert [each["status"] for each in results if each["status"] >= 300] == []
