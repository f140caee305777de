"""The timeline of a contact and the changes of a deal, in words."""

import pytest
from visits import OWN, Seen, look_at

import served

PERSON = {"custom_id": "ada", "email": "ada@example.com", "first_name": "Ada"}


@pytest.fixture
def seen(platform: served.Served, token: str) -> Seen:
    looked = look_at(platform, token)
    looked.call("POST", "users/", PERSON)
    return looked


def order(seen: Seen, **more: object) -> None:
    body = {"custom_id": "D", "name": "Order D", "user_custom_id": "ada", **more}
    seen.call("POST", "deals/update_or_create/", body)


def test_a_deleted_deal_is_one_row_with_what_it_was_called(seen: Seen) -> None:
    order(seen, value="12.50", tags=["gift"], note="fragile")
    order(seen, status=2)
    seen.call("DELETE", "deals-by-id/D/")
    deleted, changed, *created = seen.story("contacts/1")
    assert deleted == "Deal deleted Order D"
    assert changed.startswith("Deal changed Order D [Status: In progress > Won]")
    assert created == ["Deal created Order D", "Contact created"]
    assert "/console/deals/" not in seen.browser.get("/console/contacts/1").text


def test_a_merge_says_who_became_whom(seen: Seen) -> None:
    seen.call("POST", "users/", {"custom_id": "guest", "phone_number": "1"})
    seen.call("POST", "users/", {"custom_id": "other"})
    seen.call("POST", "users/merge/", {"parent": 1, "users_list": [2]})
    seen.call("POST", "users/", {"custom_id": "elder"})
    seen.call("POST", "users/merge/", {"parent": 4, "users_list": [1, 3]})
    taken_over = "[E-mail: ada@example.com] [First name: Ada] [Phone number: 1]"
    assert seen.story("contacts/4") == [
        "Contact 3 became part of this one",
        "Contact 1 became part of this one",
        f"Contacts 1 and 3 were merged into this one {taken_over}",
        "Contact created",
        "Contact 2 became part of contact 1",
        "Contact 2 was merged into contact 1 [Phone number: 1]",
        "Contact created contact 3",
        "Contact created contact 2",
        "Contact created contact 1",
    ]
    assert "Order ID" not in seen.text("contacts/4")
    assert "User ID elder" in seen.text("contacts/4")


def test_many_contacts_in_one_merge_are_counted(seen: Seen) -> None:
    others = [seen.call("POST", "users/", {"custom_id": f"u{n}"})["id"] for n in range(6)]
    seen.call("POST", "users/merge/", {"parent": 1, "users_list": others})
    assert "6 contacts were merged into this one" in seen.story("contacts/1")


def test_tags_lists_and_companies_are_told_by_what_was_added_and_removed(seen: Seen) -> None:
    seen.call("POST", "lists/", {"name": "Newsletter"})
    seen.call("POST", "users/1/add_tag/", {"name": "vip"})
    seen.call("POST", "users/1/add_tag/", {"name": "gold"})
    seen.call("DELETE", "users/1/remove_tag/", {"name": "vip"})
    seen.call("POST", "users/1/add_to_list/", {"list": 1})
    seen.call("PUT", "users/1/", {"company_custom_id": "acme"})
    assert seen.story("contacts/1")[:5] == [
        "Contact changed [Companies: added acme]",
        "Contact changed [Lists: added Newsletter]",
        "Contact changed [Tags: removed vip]",
        "Contact changed [Tags: added gold]",
        "Contact changed [Tags: added vip]",
    ]


def test_joining_and_leaving_a_company_names_it_also_when_it_is_no_more(seen: Seen) -> None:
    seen.call("POST", "companies/", {"custom_id": "acme", "name": "Acme"})
    seen.call("POST", "companies/1/add_member/", {"user_id": 1})
    seen.call("POST", "companies/1/remove_member/", {"user_id": 1})
    told = ["Left company Acme", "Joined company Acme"]
    assert seen.story("contacts/1")[:2] == told
    seen.call("DELETE", "companies/1/")
    assert seen.story("contacts/1")[:2] == told


def test_a_deal_names_its_company_participants_and_tags(seen: Seen) -> None:
    seen.call("POST", "companies/", {"custom_id": "acme", "name": "Acme"})
    seen.call("POST", "users/", {"custom_id": "bob", "first_name": "Bob"})
    order(seen)
    order(seen, company_custom_id="acme", participants=[2], tags=["gift"])
    [changed, _] = seen.story("deals/1")
    assert "[Company: Acme]" in changed
    assert "[Participants: Bob]" in changed
    assert "[Tags: added gift]" in changed
    assert "custom" not in changed


def test_removed_stages_and_pipelines_are_told_by_the_names_they_had(seen: Seen) -> None:
    seen.call("POST", "pipelines/", {"name": "Returns"})
    stage = seen.call("POST", "stages/", {"pipeline": 2, "name": "Asked for"})["id"]
    order(seen, stage=stage)
    seen.call("DELETE", f"{OWN}/stages/{stage}/", {"move_to": 2})
    seen.call("DELETE", f"{OWN}/pipelines/2/")
    changed = "Deal changed{} [Stage: Asked for > Order fulfilled] [Pipeline: Returns > Orders]"
    assert seen.story("deals/1")[0] == changed.format("")
    assert seen.story("contacts/1")[0] == changed.format(" Order D")


def test_an_attribute_of_a_contact_is_no_stage_whatever_it_is_called(seen: Seen) -> None:
    seen.call("PUT", "users/1/", {"stage": 1, "pipeline": 1})
    assert seen.story("contacts/1")[0] == "Contact changed [Stage: 1] [Pipeline: 1]"
