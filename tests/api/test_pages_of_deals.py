"""A page of deals: whom they name is asked for once, however many there are."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from statements import Statements

from served import Served, of_sqlite, serve

pytestmark = of_sqlite("counts statements in its driver; they are the same on both")

USERS = "/api/public/users/update_or_create/"
DEALS = "/api/public/deals/"
PATHS = (DEALS, "/api/public/tags/1/deals/")
VERSIONS = ("*/*", "*/*; version=2")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    found = Statements("contacts", "companies")
    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, found.follow])
    return found


@pytest.fixture
def followed(statements: Statements, tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path) as platform:
        yield platform


def sell(platform: Served, token: str, custom_id: str) -> None:
    body = {"custom_id": custom_id, "participants": [1, 2], "company_id": 1, "tags": ["vip"]}
    body |= {"order_products": [{"product_custom_id": custom_id, "value": 1}]}
    assert platform.call(token, "POST", f"{DEALS}update_or_create/", body).status == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("version", VERSIONS)
def test_twenty_deals_on_a_page_take_as_many_statements_as_one(
    followed: Served, statements: Statements, path: str, version: str
) -> None:
    token = followed.new_token()
    for custom_id in ("a", "b"):
        followed.call(token, "POST", USERS, {"custom_id": custom_id})
    followed.call(token, "POST", "/api/public/companies/", {"custom_id": "C", "name": "Acme"})
    taken: dict[int, int] = {}
    for number in range(1, 21):
        sell(followed, token, f"O{number}")
        if number in (1, 20):
            statements.begun.clear()
            reply = followed.call(token, "GET", path, headers={"Accept": version})
            assert len(reply.json["results"]) == number
            taken[number] = len(statements.begun)
            for deal in reply.json["results"]:
                assert deal["participants"] == [1, 2]
    assert taken[1] > 0
    assert taken[20] == taken[1]
