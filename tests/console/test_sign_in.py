"""Coming in and going out: links, passwords, throttling, and forms of other sites."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import shop

import asgi
import served
from ordertrail.actions import people
from ordertrail.console.throttle import Tries
from ordertrail.store import ids
from ordertrail.store import people as rows
from ordertrail.store.people import Person

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"


@pytest.fixture
def clock() -> served.HandClock:
    return served.HandClock(shop.NOW)


@pytest.fixture
def platform(tmp_path: Path, clock: served.HandClock) -> Iterator[served.Served]:
    with served.serve(tmp_path, clock) as running:
        yield running


@pytest.fixture
def stranger(platform: served.Served) -> shop.Browser:
    return shop.Browser(platform.caller)


def form(**fields: str) -> str:
    return urlencode(fields)


def choose_password(browser: shop.Browser, **more: str) -> int:
    sent = form(email=EMAIL, password=PASSWORD, **more)
    return browser.post("/console/password", sent).status


def sign_in(browser: shop.Browser, email: str = EMAIL, password: str = PASSWORD) -> int:
    return browser.post("/console/sign-in", form(email=email, password=password)).status


def test_a_link_signs_in_once(platform: served.Served, stranger: shop.Browser) -> None:
    link = shop.link(platform)
    reply = stranger.get(link)
    assert (reply.status, reply.headers["location"]) == (303, "/console/")
    assert stranger.get("/console/").status == 200
    other = shop.Browser(platform.caller)
    refused = other.get(link)
    assert refused.status == 401
    assert "This link was used before or is too old." in refused.text
    assert other.cookie == ""
    assert stranger.get(link).status == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(platform: served.Served) -> None:
    cookie = shop.Browser(platform.caller).get(shop.link(platform)).headers["set-cookie"]
    parts = set(cookie.split("; ")[1:])
    assert parts == {"HttpOnly", "Path=/console", "SameSite=lax", "Max-Age=1209600"}


def test_asking_for_the_headers_of_a_link_does_not_use_it_up(
    platform: served.Served, stranger: shop.Browser
) -> None:
    link = shop.link(platform)
    reply = platform.caller.call("HEAD", link)
    assert (reply.status, "set-cookie" in reply.headers) == (200, False)
    assert stranger.get(link).headers["location"] == "/console/"


def test_a_link_grows_old(
    platform: served.Served, stranger: shop.Browser, clock: served.HandClock
) -> None:
    link = shop.link(platform)
    clock.at += people.LINK_LIFE
    assert stranger.get(link).status == 401


def test_a_session_ends(platform: served.Served, clock: served.HandClock) -> None:
    browser = shop.signed_in(platform)
    clock.at += people.SESSION_LIFE - timedelta(seconds=1)
    assert browser.get("/console/").status == 200
    clock.at += timedelta(seconds=1)
    assert browser.get("/console/").status == 303


def test_without_a_session_every_page_leads_to_sign_in_and_back(
    platform: served.Served, stranger: shop.Browser
) -> None:
    assert stranger.get("/console/").headers["location"] == "/console/sign-in"
    for asked in ("/console/deals?stage=2&q=a%26b", "/console/none", "/console/password"):
        reply = stranger.get(asked)
        assert reply.status == 303
        assert reply.headers["location"] == f"/console/sign-in?next={quote(asked, safe='/')}"
    assert choose_password(shop.signed_in(platform)) == 303
    sent = form(email=EMAIL, password=PASSWORD, next="/console/deals?stage=2&q=a%26b")
    reply = stranger.post("/console/sign-in", sent)
    assert reply.headers["location"] == "/console/deals?stage=2&q=a%26b"
    assert stranger.get("/console/sign-in").headers["location"] == "/console/"


def test_without_a_session_data_are_refused(stranger: shop.Browser) -> None:
    reply = stranger.get("/console/deals.json")
    assert (reply.status, reply.json["status"]) == (401, 401)


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/console/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console/\\..\\..\\evil",
        "/console/../../evil",
        "/console@evil.example",
        "/console/\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "/api/public/deals/",
        "/console/d\u00e9als",
        "",
    ],
)
def test_sign_in_leads_to_our_own_pages_alone(
    platform: served.Served, stranger: shop.Browser, onward: str
) -> None:
    reply = stranger.get(f"{shop.link(platform)}&{urlencode({'next': onward})}")
    assert (reply.status, reply.headers["location"]) == (303, "/console/")


def test_a_person_chooses_a_password_and_comes_back_with_it(
    platform: served.Served, stranger: shop.Browser
) -> None:
    owner = shop.signed_in(platform)
    assert "to come back without a link" in owner.get("/console/").text
    assert choose_password(owner) == 303
    assert "to come back without a link" not in owner.get("/console/").text
    assert sign_in(stranger, " ADA@Example.com ") == 303
    assert EMAIL in stranger.get("/console/").text


def test_a_password_that_is_there_is_asked_for_before_it_changes(platform: served.Served) -> None:
    owner = shop.signed_in(platform)
    choose_password(owner)
    assert choose_password(owner) == 400
    page = owner.post("/console/password", form(email=EMAIL, password="x" * 12, current="no"))
    assert "Current password is not your password" in page.text
    assert choose_password(owner, current=PASSWORD) == 303


def test_a_new_password_ends_other_sessions_and_links_that_wait(platform: served.Served) -> None:
    owner, elsewhere = shop.signed_in(platform), shop.Browser(platform.caller)
    assert elsewhere.get(shop.link(platform, "second")).status == 303
    waiting = shop.link(platform, "third")
    assert choose_password(owner) == 303
    assert owner.get("/console/").status == 200
    assert elsewhere.get("/console/").status == 303
    assert shop.Browser(platform.caller).get(waiting).status == 401
    add_person(platform, "bob@example.com", PASSWORD)
    bob = shop.Browser(platform.caller)
    assert sign_in(bob, "bob@example.com") == 303
    assert choose_password(owner, current=PASSWORD) == 303
    assert bob.get("/console/").status == 200


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ada", PASSWORD, "E-mail must be an e-mail address"),
        (EMAIL, "short", "New password must have 10 to 200 characters"),
        (EMAIL, "x" * 201, "New password must have 10 to 200 characters"),
        ("bob@example.com", PASSWORD, "Somebody else signs in with this e-mail."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    platform: served.Served, email: str, password: str, said: str
) -> None:
    owner = shop.signed_in(platform)
    add_person(platform, "bob@example.com", None)
    reply = owner.post("/console/password", form(email=email, password=password))
    assert reply.status == 400
    assert said in reply.text
    assert f'value="{email}"' in reply.text
    assert password not in reply.text


def test_a_wrong_password_and_an_unknown_person_are_told_the_same(
    platform: served.Served, stranger: shop.Browser
) -> None:
    choose_password(shop.signed_in(platform))
    add_person(platform, "bob@example.com", None)
    pages = {
        stranger.post("/console/sign-in", form(email=email, password="wrong")).text.replace(
            email, "?"
        )
        for email in (EMAIL, "nobody@example.com", "bob@example.com")
    }
    assert len(pages) == 1
    assert "The e-mail or the password is wrong." in pages.pop()
    assert stranger.cookie == ""


def test_an_email_may_fail_five_times_in_five_minutes(
    platform: served.Served, clock: served.HandClock
) -> None:
    choose_password(shop.signed_in(platform))
    browsers = [shop.Browser(platform.caller, address=f"192.0.2.{n}") for n in range(6)]
    statuses = [sign_in(each, EMAIL.upper(), "wrong") for each in browsers]
    assert statuses == [401, 401, 401, 401, 401, 429]
    reply = browsers[5].post("/console/sign-in", form(email=EMAIL, password=PASSWORD))
    assert (reply.status, reply.headers["retry-after"]) == (429, "300")
    assert "Wait 5 minutes" in reply.text
    assert sign_in(browsers[0], "other@example.com", "wrong") == 401
    clock.at += timedelta(minutes=5)
    assert sign_in(browsers[5]) == 303


def test_right_passwords_are_not_counted(platform: served.Served, stranger: shop.Browser) -> None:
    choose_password(shop.signed_in(platform))
    assert [sign_in(stranger) for _ in range(7)] == [303] * 7


def test_an_address_may_fail_twenty_times_whomever_it_names(platform: served.Served) -> None:
    same_home = [f"2001:db8::{n:x}" for n in range(1, 21)]
    browsers = [shop.Browser(platform.caller, address=each) for each in same_home]
    statuses = [sign_in(each, f"p{n}@example.com", "no") for n, each in enumerate(browsers)]
    assert statuses == [401] * 20
    assert sign_in(browsers[0], "new@example.com", "no") == 429
    elsewhere = shop.Browser(platform.caller, address="2001:db8:1::1")
    assert sign_in(elsewhere, "new@example.com", "no") == 401


def test_only_so_many_passwords_wait_to_be_checked(platform: served.Served) -> None:
    requests = [
        asgi.Request("POST", "/console/sign-in", body=form(email=f"{n}@x", password="no").encode())
        for n in range(10)
    ]
    replies = platform.caller.together(requests)
    assert sorted(reply.status for reply in replies) == [401] * 8 + [503] * 2


def test_tries_are_forgotten_when_there_are_too_many_keys() -> None:
    tries = Tries(1, keys_max=3)
    for key in "abcd":
        tries.add(key, shop.NOW)
    assert [tries.wait(key, shop.NOW) is None for key in "abcd"] == [True, False, False, False]


def test_a_try_that_is_taken_back_was_none() -> None:
    tries, at = Tries(1), shop.NOW
    tries.add("a", at)
    tries.take_back("a", at)
    tries.take_back("b", at)
    assert tries.wait("a", at) is None


def test_sign_out_ends_the_session_itself(platform: served.Served) -> None:
    browser = shop.signed_in(platform)
    stolen = shop.Browser(platform.caller, cookie=browser.cookie)
    reply = browser.post("/console/sign-out")
    assert (reply.status, reply.headers["location"]) == (303, "/console/sign-in")
    assert browser.cookie == ""
    assert stolen.get("/console/").status == 303
    assert browser.post("/console/sign-out").status == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://shop.test.evil.example"}, 403),
        ({"sec_fetch_site": "cross-site", "origin": "null"}, 403),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, 303),
        ({"origin": "http://shop.test"}, 303),
        ({"origin": "null"}, 303),
        ({}, 303),
    ],
)
def test_forms_of_other_sites_are_refused(
    platform: served.Served, headers: dict[str, str], status: int
) -> None:
    browser = shop.signed_in(platform)
    assert browser.post("/console/sign-out", **headers).status == status
    assert browser.get("/console/").status == (200 if status == 403 else 303)


def test_a_form_has_a_limit(stranger: shop.Browser) -> None:
    most = "a" * ((64 << 10) - len("email=&password=b"))
    assert stranger.post("/console/sign-in", f"email={most}&password=b").status == 401
    assert stranger.post("/console/sign-in", f"email={most}a&password=b").status == 400
    assert stranger.post("/console/sign-in", "&".join("abcdefghijklmnopqrst")).status == 401
    assert stranger.post("/console/sign-in", "&".join(f"{n}=1" for n in range(21))).status == 400


@pytest.mark.parametrize("sent", ["", "email=%ff%00&password=%ed%a0%80", "email", "=&=", "\x00"])
def test_a_form_of_nonsense_is_a_wrong_password(stranger: shop.Browser, sent: str) -> None:
    assert stranger.post("/console/sign-in", sent).status == 401


def test_a_session_of_another_workspace_opens_nothing(platform: served.Served) -> None:
    platform.new_workspace(2)
    shop.fill(platform.database, shop.orders())
    add_person(platform, "eve@example.com", PASSWORD, workspace_id=2)
    eve = shop.Browser(platform.caller)
    assert sign_in(eve, "eve@example.com") == 303
    assert eve.get("/console/.json").status == 401
    assert eve.get("/console/deals/1").status == 303


def test_no_secret_is_kept_or_shown(platform: served.Served) -> None:
    browser = shop.signed_in(platform)
    choose_password(browser)
    kept = str(platform.rows("people") + platform.rows("sessions") + platform.rows("journal"))
    assert "open-sesame" not in kept
    assert browser.cookie not in kept
    assert PASSWORD not in kept


def add_person(
    platform: served.Served, email: str, password: str | None, workspace_id: int = 1
) -> None:
    hashed = None if password is None else people.hash_password(email, password)
    at: datetime = platform.now()

    def add(tx: served.Any) -> None:
        number = next(ids.take(tx, workspace_id, person=1)["person"])
        rows.add(tx, Person(workspace_id, number, email, hashed), at)

    platform.database.write(add)
