"""The console in a real browser, served by a real process."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import shop
from playwright.sync_api import Page, expect, sync_playwright

from ordertrail import opening
from ordertrail.domain.order import Customer, Line
from ordertrail.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
NAMELESS = "konstantin.brightwater-oyelaran@engineering.a-long-company-name.example"
ROOM_MISSING = "(table => table.scrollWidth - table.clientWidth)(document.querySelector('.table'))"
EVIL = "<script>document.title='broken'</script>"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@dataclass
class Seen:
    """What the browser complained about, and whom it asked."""

    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The link that a fresh server prints, in front of a few orders."""
    url = f"sqlite:///{tmp_path_factory.mktemp('console')}/platform.db"
    database = opening.opened(Settings(database_url=url), "test-installation")
    [first, *others] = shop.orders(60)
    long_name = "A very long name of a product that nobody would ever type " * 3
    lines = (Line("EVIL", 1, Decimal(5), EVIL), Line("X" * 120, 3, Decimal("0.125"), long_name))
    newest = first.placed_at + timedelta(days=10)
    evil = replace(first, id=f"{'9' * 60}", lines=lines, placed_at=newest, fulfilled_at=newest)
    someone = replace(
        others[0], id="0", customer=Customer(NAMELESS), placed_at=newest - timedelta(days=1)
    )
    shop.fill(database, [*others, evil, someone])
    database.close()
    server = subprocess.Popen(
        [sys.executable, "-m", "ordertrail", "serve", "--port", "0"],
        env={**os.environ, "ORDERTRAIL_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = server.stdout.readline() + server.stdout.readline()
        yield re.search(r"http://\S+/console/enter\?code=\S+", said)[0]
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def page(link: str, seen: Seen) -> Iterator[Page]:
    """A page of somebody who came in by the link."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("console", lambda m: m.type == "error" and seen.errors.append(m.text))
        page.goto(link)
        yield page
        browser.close()


def origin(page: Page) -> str:
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}"


def every_address(page: Page) -> list[str]:
    """One address of each kind that can be reached by links, found by walking."""
    kinds: dict[str, str] = {}
    waiting = ["/console/"]
    while waiting:
        address = waiting.pop()
        kind = re.sub(r"\d+", "N", address.partition("?")[0])
        if kind in kinds:
            continue
        reply = page.request.get(origin(page) + address)
        assert reply.ok, address
        kinds[kind] = address
        if "html" in reply.headers["content-type"]:
            waiting += re.findall(r'href="(/console/[^"]*)"', reply.text())
    return [each for each in kinds.values() if "static" not in each and ".json" not in each]


def test_a_person_walks_from_home_to_a_product(page: Page) -> None:
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.get_by_role("link", name="Deals", exact=True).click()
    expect(page.get_by_text("61 deals")).to_be_visible()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    page.go_back()
    page.get_by_label("Search").fill("ORD-2")
    page.get_by_label("Status").select_option("Won")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("deals found")).to_be_visible()
    page.get_by_role("link", name="Order #ORD-2", exact=True).click()
    expect(page.get_by_role("row", name="Headphones, black")).to_contain_text("1,129.90")
    page.get_by_role("link", name="Grace Hopper").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.get_by_role("link", name="Case").first.click()
    expect(page.get_by_role("heading", name="Case")).to_be_visible()
    expect(page.get_by_role("heading", name="Events")).to_be_visible()


def test_a_row_leads_to_its_deal_and_its_contact_to_the_contact(page: Page) -> None:
    page.goto(f"{origin(page)}/console/deals")
    row = page.get_by_role("row").nth(1)
    row.get_by_role("link", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    page.go_back()
    badge = page.get_by_role("row").nth(1).get_by_text("Won").bounding_box()
    page.mouse.click(badge["x"] + 2, badge["y"] + 2)
    expect(page.get_by_role("heading", name="Lines")).to_be_visible()


def test_a_name_with_markup_is_only_a_name(page: Page) -> None:
    page.goto(f"{origin(page)}/console/products?q=%3Cscript%3E")
    page.get_by_role("link", name=EVIL).click()
    expect(page.get_by_role("heading", name=EVIL)).to_be_visible()
    assert page.title() == f"{EVIL} · Ordertrail"


def test_nothing_is_wider_than_the_window(page: Page) -> None:
    addresses = every_address(page)
    assert len(addresses) == 8
    long_names = ["/console/products?q=very+long", "/console/deals/60"]
    for address in [*addresses, *long_names]:
        page.goto(origin(page) + address)
        for width in (360, 390, 700, 900, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_an_e_mail_in_a_list_stays_on_its_line_and_pushes_nothing_out(page: Page) -> None:
    link = page.get_by_role("link", name=NAMELESS)
    for address in ("/console/", "/console/deals"):
        page.goto(origin(page) + address)
        for width in (360, 1010, 1080, 1180, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            box = link.bounding_box()
            assert box["height"] < 25, (address, width)
            assert box["width"] > 130, (address, width)
            assert page.evaluate(ROOM_MISSING) <= 0, (address, width)
            assert link.get_attribute("title") == NAMELESS


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    page.goto(f"{origin(page)}/console/deals")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Choose a password")).to_be_focused()


def test_a_person_chooses_a_password_leaves_and_comes_back(page: Page) -> None:
    page.goto(f"{origin(page)}/console/password")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("New password").fill("correct horse battery")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("to come back without a link")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{origin(page)}/console/contacts?q=grace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("1 contact found")).to_be_visible()


def test_the_browser_saw_no_error_and_asked_nobody_else(page: Page, seen: Seen) -> None:
    assert seen.errors == []
    assert seen.hosts == {urlsplit(page.url).netloc}
