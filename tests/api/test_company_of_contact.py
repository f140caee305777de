"""A contact says of which company it is, and becomes a member of it."""

from typing import Any

import pytest

from ordertrail.domain.company import MEMBERS_MAX
from ordertrail.domain.journal import Subject
from ordertrail.store import journal
from served import Served

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"
V1 = {"Accept": "*/*"}
UPSERT = "users/update_or_create/"


class Shop:
    """A workspace and a key to it."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return self.platform.call(self.token, method, f"{PUBLIC}/{path}", body, **more)

    def companies(self, contact: str = "ada") -> list[str]:
        told = self.call("GET", f"users-by-id/{contact}/").json
        return [each["name"] for each in told["companies"]]


@pytest.fixture
def shop(platform: Served, token: str) -> Shop:
    made = Shop(platform, token)
    made.call("POST", "companies/", {"custom_id": "acme", "name": "Acme"})
    return made


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", UPSERT), ("POST", "users/"), ("PUT", "users/1/"), ("PUT", "users-by-id/ada/")],
)
def test_whatever_writes_a_contact_makes_it_a_member(shop: Shop, method: str, path: str) -> None:
    if method == "PUT":
        shop.call("POST", UPSERT, {"custom_id": "ada"})
    body = {"custom_id": "ada", "company_custom_id": "acme"}
    for _ in range(2):
        assert shop.call(method, path, body).status in (200, 201)
    assert shop.companies() == ["Acme"]
    assert shop.call("GET", "companies-by-id/acme/").json["employees"] == [1]
    assert "company_custom_id" not in shop.call("GET", "users/1/").json


def test_the_answer_tells_the_company_already(shop: Shop) -> None:
    body = {"custom_id": "ada", "company_custom_id": "acme"}
    made = shop.call("POST", "users/", body)
    assert made.json == shop.call("GET", "users/1/").json
    assert [each["id"] for each in made.json["companies"]] == [1]


def test_version_1_calls_it_company_id(shop: Shop) -> None:
    shop.call("POST", UPSERT, {"user_id": "ada", "company_id": "acme"}, headers=V1)
    assert shop.companies() == ["Acme"]


def test_a_company_comes_besides_the_others_and_null_says_nothing(shop: Shop) -> None:
    for company in ("acme", "other", None, "", "acme"):
        sent = {"custom_id": "ada", "company_custom_id": company}
        assert shop.call("POST", UPSERT, sent).status == 200
    assert shop.companies() == ["Acme", "other"]


def test_a_company_that_nobody_knows_is_created_and_described_later(shop: Shop) -> None:
    for number in range(2):
        body = {"custom_id": f"c{number}", "company_custom_id": 77}
        shop.call("POST", UPSERT, body)
    stub = shop.call("GET", "companies-by-id/77/").json
    assert (stub["name"], stub["employees"]) == ("77", [1, 2])
    described = shop.call("POST", "companies/", {"custom_id": 77, "name": "Bolt", "city": "Hull"})
    assert described.status == 200
    assert (described.json["id"], described.json["name"]) == (stub["id"], "Bolt")
    assert shop.call("POST", "companies/", {"custom_id": 77, "name": "Nut"}).status == 400
    assert shop.companies("c0") == ["Bolt"]


def test_a_creation_that_names_another_company_is_news(shop: Shop) -> None:
    body = {"custom_id": "ada", "company_custom_id": "acme"}
    assert shop.call("POST", "users/", body).status == 201
    assert shop.call("POST", "users/", body).status == 200
    assert shop.call("POST", "users/", {**body, "company_custom_id": "other"}).status == 400
    assert shop.companies() == ["Acme"]
    assert shop.call("GET", "companies/").json["count"] == 1


def test_people_of_one_new_company_in_a_batch_are_members_of_one(shop: Shop) -> None:
    people = [{"custom_id": f"c{n}", "company_custom_id": "new"} for n in range(5)]
    people += [{"custom_id": "c0", "company_custom_id": "acme"}, {"company_custom_id": "lost"}]
    sent = [{"path": f"{PUBLIC}/{UPSERT}", "body": each} for each in people]
    told = shop.platform.call(shop.token, "POST", f"{OWN}/batch/", {"operations": sent}).json
    assert [each["status"] for each in told["results"]] == [200] * 6 + [400]
    assert shop.call("GET", "companies-by-id/new/").json["employees"] == [1, 2, 3, 4, 5]
    assert shop.companies("c0") == ["Acme", "new"]
    assert shop.call("GET", "companies-by-id/lost/").status == 404


def test_the_journal_tells_it_of_the_company_and_of_the_contact(shop: Shop) -> None:
    shop.call("POST", UPSERT, {"custom_id": "ada"})
    shop.call("POST", UPSERT, {"custom_id": "ada", "company_custom_id": "acme"})
    read = shop.platform.database.read
    entry = read(lambda r: journal.of_subject(r, 1, Subject.COMPANY, 1, 1))[0]
    assert entry.changes == {"employees": (None, 1)}
    timeline = shop.call("GET", "users/1/timeline/").json["results"]
    assert [each["type"] for each in timeline] == ["contact_changed", "contact_created"]
    assert timeline[0]["changes"] == {"companies": [[], ["Acme"]]}


def test_to_join_a_company_is_a_change_of_the_contact(shop: Shop) -> None:
    before = shop.call("POST", "users/", {"custom_id": "ada"}).json["updated_at"]
    csv = b"custom_id,company_custom_id\nada,acme\nada,acme\n"
    path = f"{OWN}/import/users/"
    headers = {"Content-Type": "text/csv"}
    said = shop.platform.call(shop.token, "POST", path, body=csv, headers=headers)
    assert [each["status"] for each in said.json["results"]] == ["changed", "unchanged"]
    assert shop.call("GET", "users/1/").json["updated_at"] > before


def test_a_full_company_takes_nobody_and_the_contact_is_kept(shop: Shop) -> None:
    numbers = "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < :n)"
    people = (
        "INSERT INTO contacts (workspace_id, id, user_key, profile, attributes, created_at,"
        f" updated_at) {numbers} SELECT 1, v + 100, 'key' || v, '{{}}', '{{}}', 0, 0 FROM n"
    )
    members = f"INSERT INTO company_members {numbers} SELECT 1, 1, v + 100, 0 FROM n"

    def fill(tx: Any) -> None:
        for statement in (people, members):
            tx.run(statement, n=MEMBERS_MAX)

    shop.platform.database.write(fill)
    body = {"custom_id": "ada", "city": "York", "company_custom_id": "acme", "tags": ["vip"]}
    for method, path in (("POST", UPSERT), ("PUT", "users-by-id/ada/")):
        told = shop.call(method, path, body)
        assert told.status == 200
        assert "5,000 members" in told.headers["x-ordertrail-warnings"]
    assert shop.call("POST", "users/", body).status == 200
    kept = shop.call("GET", "users-by-id/ada/").json
    assert (kept["city"], kept["companies"], len(kept["tags"])) == ("York", [], 1)
    assert len(shop.call("GET", "companies-by-id/acme/").json["employees"]) == MEMBERS_MAX


@pytest.mark.parametrize("wrong", [True, ["acme"], {"id": 1}, "x" * 256])
def test_an_id_that_is_none_is_refused_by_field(shop: Shop, wrong: Any) -> None:
    reply = shop.call("POST", UPSERT, {"custom_id": "ada", "company_custom_id": wrong})
    assert (reply.status, reply.json["errors"].keys()) == (400, {"company_custom_id"})
