"""The page about the API in a real browser: somebody gives a key and tries a call."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

import live

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[live.Live]:
    with live.live(tmp_path) as running:
        yield running


@pytest.fixture
def page(server: live.Live) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = browser.new_page()
        opened.set_default_timeout(15_000)
        opened.goto(f"{server.url}/api/docs")
        yield opened
        browser.close()


def give(page: Page, token: str) -> None:
    """Let the page send the key with each call."""
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_role("textbox", name="auth-api-key-value").or_(
        page.locator(".auth-container input")
    ).first.fill(token)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()


def tried(call: Locator) -> Locator:
    """Make the call as it is shown, and return what it is answered."""
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    return call.locator(".live-responses-table")


def test_a_call_can_be_tried_with_a_key(page: Page, server: live.Live) -> None:
    complaints: list[str] = []
    hosts: set[str | None] = set()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: hosts.add(urlsplit(asked.url).hostname))
    give(page, server.token)
    page.locator("#operations-tag-pipelines").click()
    told = tried(page.locator("#operations-pipelines-get_pipelines"))
    expect(told.locator(".response-col_status").nth(1)).to_contain_text("200")
    expect(told).to_contain_text("Orders")
    assert complaints == []
    assert hosts == {"127.0.0.1"}


def test_the_body_that_is_shown_can_be_sent_and_is_answered_in_version_2(
    page: Page, server: live.Live
) -> None:
    accepted: list[str] = []
    page.on(
        "request",
        lambda asked: accepted.append(asked.headers["accept"]) if asked.method == "POST" else None,
    )
    give(page, server.token)
    page.locator("#operations-tag-users").click()
    told = tried(page.locator("#operations-users-post_users_update_or_create"))
    expect(told.locator(".response-col_status").nth(1)).to_contain_text("200")
    expect(told).to_contain_text("created")
    assert accepted == ["*/*; version=2"]
    assert server.get("users-by-id/ada/")["city"] == "York"
    expect(page.get_by_text("additionalProp")).to_have_count(0)
