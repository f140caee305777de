"""The settings of a workspace over the API."""

import json
from typing import Any

import pytest

from served import Served

ADDRESS = "/api/ordertrail/v1/workspace/"
FRESH = {"name": "Main", "currency": "USD", "time_zone": "UTC", "strict": False}


def test_settings_are_told_and_what_is_sent_is_changed(platform: Served, token: str) -> None:
    assert platform.call(token, "GET", ADDRESS).json == FRESH
    sent = {"currency": "pln", "time_zone": "Europe/Warsaw", "strict": "true", "name": None}
    changed = {**FRESH, "currency": "PLN", "time_zone": "Europe/Warsaw", "strict": True}
    assert platform.call(token, "PUT", ADDRESS, sent).json == changed
    assert platform.call(token, "PUT", ADDRESS, {}).json == changed
    assert platform.call(token, "GET", ADDRESS).json == changed


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXQ"},
        {"currency": 1},
        {"time_zone": "Mars"},
        {"time_zone": ""},
        {"name": ""},
        {"name": "  "},
        {"name": ["x"]},
        {"strict": "perhaps"},
        {"strict": 2},
        {"strict": ["true"]},
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    platform: Served, token: str, wrong: dict[str, Any]
) -> None:
    reply = platform.call(token, "PUT", ADDRESS, {"name": "New", "currency": "EUR", **wrong})
    assert reply.status == 400
    assert reply.json["errors"].keys() == wrong.keys()
    assert platform.call(token, "GET", ADDRESS).json == FRESH


def test_what_is_no_setting_is_said_to_be_ignored(platform: Served, token: str) -> None:
    reply = platform.call(token, "PUT", ADDRESS, {"timezone": "Europe/Oslo", "name": "Shop"})
    assert (reply.status, reply.json) == (200, {**FRESH, "name": "Shop"})
    assert json.loads(reply.headers["x-ordertrail-warnings"]) == [
        "timezone: ignored: the settings are name, currency, time_zone, strict"
    ]


def test_a_new_deal_has_the_currency_and_an_old_one_keeps_its(platform: Served, token: str) -> None:
    def currency(custom_id: str) -> Any:
        body = {"custom_id": custom_id, "name": custom_id}
        reply = platform.call(token, "POST", "/api/public/deals/update_or_create/", body)
        return reply.json["currency"]

    assert currency("old") == "USD"
    platform.call(token, "PUT", ADDRESS, {"currency": "EUR"})
    assert currency("new") == "EUR"
    assert currency("old") == "USD"


def test_the_settings_of_other_workspaces_stay(platform: Served, token: str) -> None:
    platform.new_workspace(2)
    platform.call(token, "PUT", ADDRESS, {"name": "Mine", "strict": True})
    other = platform.call(platform.new_token(workspace_id=2), "GET", ADDRESS).json
    assert other == {**FRESH, "name": "Other", "currency": "EUR"}
