"""The page about the API, its files and its document, for anyone and from here alone."""

import re

from ordertrail.api.openapi import document
from ordertrail.api.routes import EVERY
from served import Served


def test_the_document_names_every_address_and_is_open_to_all(platform: Served) -> None:
    reply = platform.caller.call("GET", "/api/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    told = {(m.upper(), path) for path, item in reply.json["paths"].items() for m in item}
    assert told == {(route.method, route.path) for route in EVERY}
    names = [each["operationId"] for item in reply.json["paths"].values() for each in item.values()]
    assert len(set(names)) == len(names)


def test_every_route_says_what_it_takes_and_gives() -> None:
    assert [route.path for route in EVERY if route.gives is None and not route.media] == []
    bodies = [
        route
        for route in EVERY
        if route.method in ("POST", "PUT", "PATCH") and route.takes is None and not route.sent_media
    ]
    assert [route.path for route in bodies] == []


def test_a_shape_is_called_by_one_word() -> None:
    """Two of the same name would be told apart by the modules that they stand in."""
    shapes = document(EVERY, "1")["components"]["schemas"]
    assert [name for name in shapes if not name.isidentifier()] == []


def test_an_error_is_shown_as_it_is_told(platform: Served) -> None:
    shown = {
        status: told["content"]["application/json"]["example"]
        for status, told in document(EVERY, "1")["components"]["responses"].items()
    }
    token, hasty = platform.new_token(), platform.new_token(rate_limit=1)
    wrong = platform.call(token, "POST", "/api/public/users/", {"custom_id": "A", "email": "ada"})
    unknown = platform.call(token, "GET", "/api/public/users/7/")
    [_, throttled] = [platform.call(hasty, "GET", "/api/public/stages/") for _ in range(2)]
    for reply in (wrong, unknown, throttled):
        assert shown.pop(str(reply.status)) == reply.json
    assert {tuple(each) for each in shown.values()} == {("detail",)}


def test_a_stage_may_be_removed_without_a_body() -> None:
    stage = document(EVERY, "1")["paths"]["/api/ordertrail/v1/stages/{id}/"]
    assert stage["delete"]["requestBody"]["required"] is False
    assert stage["put"]["requestBody"]["required"] is True


def test_the_page_loads_nothing_from_elsewhere(platform: Served) -> None:
    page = platform.caller.call("GET", "/api/docs")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(files) == 4
    for name in files:
        assert platform.caller.call("GET", name).status == 200, name
    assert "http" not in re.sub(r'href="/[^"]*"', "", page.text)
    assert platform.caller.call("GET", "/api/docs/").status == 200
    assert platform.caller.call("GET", "/api/docs/LICENSE").status == 404
