"""What the answers of a batch tell is asked for once, however many there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from statements import Statements

from served import Served, of_sqlite, serve

pytestmark = of_sqlite("counts statements in its driver; they are the same on both")

DEALS = "/api/public/deals/update_or_create/"
COMPANIES = "/api/public/companies/update_or_create/"
USERS = "/api/public/users/"
V1, V2 = "*/*", "*/*; version=2"


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    found = Statements("attributes", "contacts", "companies")
    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, found.follow])
    return found


@pytest.fixture
def followed(statements: Statements, tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path) as platform:
        yield platform


BODIES = {
    DEALS: {"participants": [1, 2], "company_custom_id": "C", "colour": "red"},
    COMPANIES: {"name": "Acme", "colour": "red"},
    USERS: {"colour": "red"},
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("is_keyed", [False, True])
def test_twenty_operations_take_as_many_statements_as_two(
    followed: Served, statements: Statements, path: str, version: str, is_keyed: bool
) -> None:
    token = followed.new_token()
    for custom_id in ("a", "b"):
        followed.call(token, "POST", USERS, {"custom_id": custom_id})
    followed.call(token, "POST", COMPANIES, {"custom_id": "C", "name": "Acme"})

    def sent(numbers: range) -> list[dict[str, Any]]:
        operations = [
            {"method": "POST", "path": path, "body": {"custom_id": f"T{n}", **BODIES[path]}}
            for n in numbers
        ]
        if is_keyed:
            operations = [{**each, "key": each["body"]["custom_id"]} for each in operations]
        body = {"operations": operations}
        headers = {"Accept": version}
        reply = followed.call(token, "POST", "/api/ordertrail/v1/batch/", body, headers=headers)
        assert {each["status"] for each in reply.json["results"]} <= {200, 201}
        return [each["body"] for each in reply.json["results"]]

    sent(range(1))
    taken = []
    for numbers in (range(1, 3), range(3, 23)):
        statements.begun.clear()
        for told in sent(numbers):
            told |= {each["name"]: each["value"] for each in told.get("attributes", ())}
            assert told["colour"] == "red"
        taken.append(len(statements.begun))
    assert taken[0] == taken[1] > 0
