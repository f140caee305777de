"""Whoever defines, renames or removes something is in the journal, with what was and what is."""

from typing import Any

import pytest

from ordertrail.domain.journal import Entry, Subject, Verb
from ordertrail.store import journal
from served import Served

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"


class Shop:
    """A workspace and a key to it."""

    def __init__(self, platform: Served, token: str) -> None:
        self.platform, self.token = platform, token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.platform.call(self.token, method, path, body)
        assert reply.status in (200, 201), reply.text
        return reply.json

    def entries(self, subject: Subject, number: int) -> list[Entry]:
        """The entries of one thing, oldest first."""
        read = self.platform.database.read
        return read(lambda r: journal.of_subject(r, 1, subject, number, 100))[::-1]

    def told(self, subject: Subject, number: int) -> list[tuple[bool, bool, Any]]:
        found = self.entries(subject, number)
        assert {each.author.name for each in found} <= {"key:1"}
        return [(each.is_new, each.verb is Verb.DELETED, each.changes) for each in found]


@pytest.fixture
def shop(platform: Served, token: str) -> Shop:
    return Shop(platform, token)


@pytest.mark.parametrize(("path", "subject"), [("tags", Subject.TAG), ("lists", Subject.LIST)])
def test_a_group_tells_who_made_renamed_and_removed_it(
    shop: Shop, path: str, subject: Subject
) -> None:
    one = f"{PUBLIC}/{path}/1/"
    for method, target, body in (
        ("POST", f"{PUBLIC}/{path}/", {"name": "vip"}),
        ("POST", f"{PUBLIC}/{path}/", {"name": "vip"}),
        ("PUT", one, {"name": "VIP"}),
        ("PUT", one, {"name": "VIP"}),
        ("DELETE", one, None),
    ):
        shop.call(method, target, body)
    assert shop.told(subject, 1) == [
        (True, False, {"name": (None, "vip")}),
        (False, False, {"name": ("vip", "VIP")}),
        (False, True, {"name": ("VIP", None), "id": (1, None)}),
    ]


def test_an_attribute_tells_who_defined_and_deleted_it(shop: Shop) -> None:
    shop.call("POST", f"{PUBLIC}/users/update_or_create/", {"custom_id": "a", "size": 4})
    body = {"content_type": "user", "name": "Size", "value_type": "string"}
    for _ in range(2):
        shop.call("POST", f"{PUBLIC}/attributes/", body)
    shop.call("DELETE", f"{PUBLIC}/attributes/1/")
    defined, deleted = shop.told(Subject.ATTRIBUTE, 1)
    assert defined == (
        False,
        False,
        {
            "value_type": ("float", "string"),
            "is_inferred": (True, False),
            "display_name": ("", "Size"),
        },
    )
    assert deleted[:2] == (False, True)
    assert deleted[2]["name"] == ("size", None)


def test_a_pipeline_and_its_stages_tell_who_arranged_them(shop: Shop) -> None:
    shop.call("POST", f"{PUBLIC}/pipelines/", {"name": "Returns"})
    for name in ("Back", "Checked"):
        shop.call("POST", f"{PUBLIC}/stages/", {"pipeline": 2, "name": name})
    shop.call("PUT", f"{OWN}/pipelines/2/", {"name": "Backs"})
    shop.call("PUT", f"{OWN}/pipelines/2/order/", {"stages": [5, 4]})
    shop.call("PUT", f"{OWN}/pipelines/2/order/", {"stages": [5, 4]})
    shop.call("PUT", f"{OWN}/stages/4/", {"name": "Here"})
    shop.call("DELETE", f"{OWN}/stages/5/")
    shop.call("DELETE", f"{OWN}/pipelines/2/")
    assert shop.told(Subject.PIPELINE, 2) == [
        (True, False, {"name": (None, "Returns")}),
        (False, False, {"name": ("Returns", "Backs")}),
        (False, False, {"stages": ([4, 5], [5, 4])}),
        (False, True, {"name": ("Backs", None), "id": (2, None)}),
    ]
    assert [each[:2] for each in shop.told(Subject.STAGE, 5)] == [(True, False), (False, True)]
    made, described, gone = shop.told(Subject.STAGE, 4)
    assert made[2] == {"pipeline": (None, 2), "name": (None, "Back"), "description": (None, "")}
    assert described[2] == {"name": ("Back", "Here")}
    assert gone[1] is True
    assert gone[2]["name"] == ("Here", None)


def test_a_workspace_tells_who_changed_its_settings(shop: Shop) -> None:
    for strict in (True, True, False):
        shop.call("PUT", f"{OWN}/workspace/", {"strict": strict, "currency": "EUR"})
    assert shop.told(Subject.WORKSPACE, 1) == [
        (False, False, {"currency": ("USD", "EUR"), "strict": (False, True)}),
        (False, False, {"strict": (True, False)}),
    ]


def test_a_company_tells_which_members_were_deleted_or_merged(shop: Shop) -> None:
    for name in ("a", "b", "c"):
        body = {"custom_id": name, "company_custom_id": "acme"}
        shop.call("POST", f"{PUBLIC}/users/update_or_create/", body)
    before = len(shop.entries(Subject.COMPANY, 1))
    shop.call("POST", f"{PUBLIC}/users/merge/", {"parent": 1, "users_list": [2]})
    shop.call("DELETE", f"{PUBLIC}/users/3/")
    assert shop.told(Subject.COMPANY, 1)[before:] == [
        (False, False, {"employees": (2, 1)}),
        (False, False, {"employees": (3, None)}),
    ]


def test_what_is_defined_is_on_no_contacts_timeline(shop: Shop) -> None:
    shop.call("POST", f"{PUBLIC}/users/update_or_create/", {"custom_id": "a"})
    shop.call("POST", f"{PUBLIC}/tags/", {"name": "vip"})
    shop.call("POST", f"{PUBLIC}/pipelines/", {"name": "Returns"})
    timeline = shop.call("GET", f"{PUBLIC}/users/1/timeline/")
    assert [each["type"] for each in timeline["results"]] == ["contact_created"]
