"""The pages: what they show, what they refuse, and how many statements they cost."""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import shop

import asgi
import served
from ordertrail import app, opening
from ordertrail.actions import contacts, deals
from ordertrail.console.routes import PAGES
from ordertrail.domain.contact import ContactChange
from ordertrail.domain.deal import DealChange, Status
from ordertrail.kit import clock
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import DatabaseAway, QueryTooSlow, Reader
from ordertrail.kit.readers import Readers
from ordertrail.settings import Settings

STATEMENTS_MAX = 6
ADDRESSES = [path.replace("{id:int}", "1") for path in PAGES]
EVIL = "<script>alert(1)</script> \"' OR 1=1; --"


@pytest.fixture
def browser(platform: served.Served) -> shop.Browser:
    shop.fill(platform.database, shop.orders())
    return shop.signed_in(platform)


def text_of(reply: asgi.Reply) -> str:
    """What a person reads, on one line."""
    assert reply.status == 200, reply.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", reply.text)))


def links(page: str) -> set[str]:
    return {unescape(each) for each in re.findall(r'(?:href|src|action)="([^"]*)"', page)}


def test_home_shows_the_summary_and_the_newest_orders(browser: shop.Browser) -> None:
    page = text_of(browser.get("/console/"))
    assert "Net 3,519.67 PLN Gross 3,539.67 PLN Refunds 20.00 PLN" in page
    assert "Orders 3 Contacts 2 Products 2" in page
    assert "New order 1 Order fulfilled 2 Order cancelled/returned 0" in page
    assert "purchase_completed 2" in page
    assert page.index("Order #ORD-3") < page.index("Order #ORD-2") < page.index("Order #ORD-1")


def test_an_empty_workspace_says_what_to_do_next(platform: served.Served) -> None:
    browser = shop.signed_in(platform)
    page = text_of(browser.get("/console/", host="orders.example:8443"))
    assert "ordertrail keys create" in page
    assert "--to http://orders.example:8443 --token" in page
    for path in ("deals", "contacts", "products"):
        assert "yet" in text_of(browser.get(f"/console/{path}"))


def test_a_deal_shows_lines_refund_contact_and_changes(
    browser: shop.Browser, platform: served.Served
) -> None:
    move = DealChange("ORD-2", stage=3, status=Status.LOST, value=Decimal(0))
    batch = Batch(1, shop.NOW, [deals.Upsert(move, shop.AUTHOR)])
    platform.new_token()
    platform.database.write(lambda tx: deals.upsert(tx, batch))
    page = text_of(browser.get("/console/deals/2"))
    assert "Headphones, black SKU-PHONES 1 1,129.90 1,129.90" in page
    assert "Case SKU-CASE 2 20.00 40.00" in page
    assert "Delivery 9.99 Gross 1,179.89 Refunded \N{MINUS SIGN}20.00 Value 0.00 PLN" in page
    assert "Grace Hopper" in page
    assert "Stage Order fulfilled → Order cancelled/returned" in page
    assert "Status Won → Lost Value 1159.89 → 0.00" in page
    assert "by API key test in a back-fill" in page
    assert page.index("Deal changed") < page.index("Deal created")


def test_a_contact_shows_orders_totals_and_the_timeline(browser: shop.Browser) -> None:
    reply = browser.get("/console/contacts/1")
    page = text_of(reply)
    assert "Ada Lovelace" in page
    assert "Orders 2 Value 2,359.78 PLN" in page
    assert "purchase_completed Order #ORD-1" in page
    assert "purchase Headphones, black Order #ORD-1" in page
    assert "Deal created Order #ORD-3" in page
    assert {"/console/deals/1", "/console/products/1"} <= links(reply.text)


def test_a_product_shows_its_event_counts_and_deals(browser: shop.Browser) -> None:
    page = text_of(browser.get("/console/products/1"))
    assert "order 3" in page
    assert "purchase 2" in page
    assert "3 deals" in page
    assert "Price 1,129.90" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ORD-3", "ORD-2", "ORD-1"]),
        ("?stage=1", ["ORD-3"]),
        ("?status=2", ["ORD-2", "ORD-1"]),
        ("?stage=1&status=2", []),
        ("?q=ORD-2", ["ORD-2"]),
        ("?q=%23ord-1", ["ORD-1"]),
        ("?q=ADA@", ["ORD-3", "ORD-1"]),
        ("?q=hop", ["ORD-2"]),
        ("?q=Grace+Hopper", ["ORD-2"]),
        ("?q=opper", []),
        ("?q=%25", []),
        ("?q=_", []),
        ("?q=%5C", []),
        ("?q=%27+OR+1%3D1--", []),
        ("?q=%00", []),
        ("?q=++ada++&stage=&status=", ["ORD-3", "ORD-1"]),
    ],
)
def test_deals_are_found_by_stage_status_id_name_and_person(
    browser: shop.Browser, query: str, found: list[str]
) -> None:
    page = browser.get(f"/console/deals.json{query}").json
    assert [deal["custom_id"] for deal in page["deals"]] == found
    assert page["count"] == len(found)


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("contacts.json?q=hop", ["Grace Hopper"]),
        ("contacts.json?q=grace@", ["Grace Hopper"]),
        ("contacts.json?q=%25", []),
        ("products.json?q=phones", ["Headphones, black"]),
        ("products.json?q=sku-case", ["Case"]),
        ("products.json?q=_", []),
    ],
)
def test_contacts_and_products_are_found(
    browser: shop.Browser, address: str, names: list[str]
) -> None:
    page = browser.get(f"/console/{address}").json
    rows = page.get("contacts") or page.get("products") or []
    assert [row["name"] for row in rows] == names
    assert page["count"] == len(names)


def test_every_deal_stands_on_one_page_of_the_list(platform: served.Served) -> None:
    shop.fill(platform.database, shop.orders(120))
    browser = shop.signed_in(platform)
    seen: list[str] = []
    address: str | None = "/console/deals?q=ord"
    sizes = []
    while address:
        page = browser.get(address.replace("/deals?", "/deals.json?")).json
        seen += [deal["custom_id"] for deal in page["deals"]]
        sizes.append(len(page["deals"]))
        assert page["count"] == 120
        address = page["next"]
    assert seen == [f"ORD-{number}" for number in range(120, 0, -1)]
    assert sizes == [50, 50, 20]


def test_every_entry_stands_on_one_page_of_the_timeline(platform: served.Served) -> None:
    shop.fill(platform.database, shop.orders(60))
    browser = shop.signed_in(platform)
    moments: list[str] = []
    address: str | None = "/console/contacts/1"
    count = 0
    while address:
        path, _, query = address.partition("?")
        page = browser.get(f"{path}.json?{query}").json
        moments += [entry["at"] for entry in page["timeline"]]
        count, address = page["timeline_count"], page["next"]
    assert len(moments) == count > 50
    assert moments == sorted(moments, reverse=True)


def test_times_are_those_of_the_workspace_and_exact_in_utc(platform: served.Served) -> None:
    [order] = shop.orders(1)
    at = datetime(2026, 7, 1, 22, 30, 15, 250_000, tzinfo=UTC)
    shop.fill(platform.database, [replace(order, placed_at=at, fulfilled_at=at)])
    zone = "UPDATE workspaces SET time_zone = 'Europe/Warsaw' WHERE id = :workspace_id"
    platform.database.write(lambda tx: tx.run(zone, workspace_id=1))
    page = shop.signed_in(platform).get("/console/deals/1").text
    exact = "2026-07-01T22:30:15.250000Z"
    assert f'<time datetime="{exact}" title="{exact}">2 Jul 2026, 00:30</time>' in page
    assert "Times in Europe/Warsaw" in page


@pytest.mark.parametrize(
    "sent",
    [
        *({"order_placed_at": each} for each in (0, 10**30, "now", "soon", "9999-12-31T23:59:59Z")),
        *({"refunds": each} for each in (5, [1], [{"value": "x"}], [{"value": 1}], {})),
        {"delivery_cost": "free", "gross_value": [1]},
        {"note": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_attributes_of_any_shape_are_shown(platform: served.Served, sent: dict[str, Any]) -> None:
    batch = Batch(1, shop.NOW, [deals.Upsert(DealChange("A", attributes=sent), shop.AUTHOR)])
    platform.database.write(lambda tx: deals.upsert(tx, batch))
    browser = shop.signed_in(platform)
    for address in ("", "deals", "deals/1", "deals.json", "deals/1.json"):
        assert browser.get(f"/console/{address}").status == 200


def test_names_are_text_and_never_markup_or_sql(platform: served.Served) -> None:
    person = ContactChange("c", profile={"first_name": EVIL[:40]}, attributes={"note": EVIL})
    order = DealChange(
        EVIL, user_custom_id="c", name=EVIL, products_custom_id=(EVIL,), attributes={"note": EVIL}
    )
    author = replace(shop.AUTHOR, name=EVIL)
    people = Batch(1, shop.NOW, [contacts.Upsert(person, author, "k")])
    orders = Batch(1, shop.NOW, [deals.Upsert(order, author)])
    platform.database.write(lambda tx: [contacts.upsert(tx, people), deals.upsert(tx, orders)])
    browser = shop.signed_in(platform)
    for address in ADDRESSES:
        page = browser.get(address)
        assert page.status == 200
        assert "<script" not in page.text
        assert "alert(1)" in page.text
    found = browser.get(f"/console/deals.json?q={'%3Cscript%3Ealert(1)%3C/script%3E'}").json
    assert [deal["name"] for deal in found["deals"]] == [EVIL]
    shown = browser.get("/console/deals?q=%22%3E%3Cscript%3E").text
    assert "<script" not in shown
    assert "&#34;&gt;&lt;script&gt;" in shown


def test_every_link_of_every_page_leads_somewhere(browser: shop.Browser) -> None:
    seen: set[str] = set()
    waiting = ["/console/"]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        reply = browser.get(address)
        assert reply.status in (200, 303), address
        if "html" in reply.headers.get("content-type", ""):
            found = {urljoin(address, each).partition("#")[0] for each in links(reply.text)}
            assert all(each.startswith("/console/") for each in found)
            waiting += found - seen - {"/console/sign-out", *waiting}
    assert {"/console/deals/3", "/console/contacts/2", "/console/products/2"} <= seen


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_costs_few_statements(tmp_path: Path, address: str) -> None:
    with counted(tmp_path) as (platform, counts):
        shop.fill(platform.database, shop.orders(60))
        browser = shop.signed_in(platform)
        counts.clear()
        assert browser.get(address).status == 200
        assert 3 <= len(counts) <= STATEMENTS_MAX, counts


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_twin_of_a_page_is_its_data(browser: shop.Browser, address: str) -> None:
    page, twin = browser.get(address), browser.get(f"{address}.json")
    assert twin.headers["content-type"] == "application/json"
    assert f'href="{address}.json"' in page.text
    assert isinstance(json.loads(twin.text), dict)


def test_the_twin_keeps_money_as_it_is(browser: shop.Browser) -> None:
    raw = browser.get("/console/.json").text
    assert '{"currency":"PLN","gross":3539.67,"refunds":20.00,"net":3519.67}' in raw


@pytest.mark.parametrize("address", ["/", "/console"])
def test_the_short_addresses_lead_home(platform: served.Served, address: str) -> None:
    reply = shop.Browser(platform.caller).get(address)
    assert (reply.status, reply.headers["location"]) == (303, "/console/")


@pytest.mark.parametrize(
    "address",
    [
        "deals/999",
        f"deals/{10**40}",
        "contacts/0",
        "products/77",
        "settings",
        "deals/x",
        "deals/1/",
        "static/x/../routes.py",
        "static/x/console.py",
    ],
)
def test_an_address_of_nothing_says_so_and_shows_ways_on(
    browser: shop.Browser, address: str
) -> None:
    reply = browser.get(f"/console/{address}")
    assert reply.status == 404
    assert "Not found" in reply.text
    assert 'href="/console/deals"' in reply.text
    assert browser.get("/elsewhere").status == 404


@pytest.mark.parametrize(
    "query", ["stage=x", "stage=1e3", "status=9", "cursor=AAA", "stage=%C2%B2"]
)
def test_a_wrong_question_is_told_and_not_answered(browser: shop.Browser, query: str) -> None:
    assert browser.get(f"/console/deals?{query}").status == 400
    assert "detail" not in browser.get(f"/console/deals.json?{query}").json
    assert browser.get(f"/console/deals.json?{query}").json["status"] == 400


def test_another_workspace_is_not_to_be_seen(
    browser: shop.Browser, platform: served.Served
) -> None:
    platform.new_workspace(2)
    batch = Batch(2, shop.NOW, [deals.Upsert(DealChange("THEIRS"), shop.AUTHOR)] * 1)
    platform.database.write(lambda tx: deals.upsert(tx, batch))
    assert "THEIRS" not in browser.get("/console/deals").text
    assert browser.get("/console/deals.json?q=THEIRS").json["count"] == 0


def test_every_answer_forbids_what_the_console_does_not_need(browser: shop.Browser) -> None:
    for address in ("/console/", "/console/deals.json", "/console/none", "/console/sign-in", "/x"):
        headers = browser.get(address).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
            " frame-ancestors 'none'; base-uri 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
    assert "style=" not in browser.get("/console/").text


def test_static_files_are_kept_by_browsers_until_they_change(browser: shop.Browser) -> None:
    [style] = re.findall(r'href="([^"]*\.css)"', browser.get("/console/").text)
    nobody = shop.Browser(browser.caller)
    reply = nobody.get(style)
    assert reply.headers["content-type"].startswith("text/css")
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    old = nobody.get(re.sub("/static/[^/]*/", "/static/older/", style))
    assert old.headers["cache-control"] == "no-store"
    assert nobody.get(style.replace("console.css", "logo.svg")).status == 200


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (DatabaseAway("gone"), 503, "Reload this page"),
        (QueryTooSlow("slow"), 503, "Reload this page"),
        (RuntimeError("secret detail"), 500, "request id"),
    ],
)
def test_a_failure_is_a_page_that_says_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, status: int, said: str
) -> None:
    with counted(tmp_path, error) as (platform, _):
        browser = shop.Browser(platform.caller, cookie="any")
        for address in ("/console/deals", "/console/deals.json"):
            reply = browser.get(address)
            assert reply.status == status
            assert said in reply.text
            assert "secret" not in reply.text
        assert (browser.get("/console/").headers.get("retry-after") == "1") is (status == 503)


class Counted:
    """A database that notes each statement of its readers, or fails."""

    def __init__(self, inner: Any, statements: list[str], error: Exception | None) -> None:
        self._inner = inner
        self._statements = statements
        self._error = error

    def read(self, work: Any) -> Any:
        return self._inner.read(lambda reader: work(self._watched(reader)))

    def _watched(self, reader: Reader) -> Reader:
        statements, error = self._statements, self._error

        class Watched:
            def rows(self, query: str, **parameters: Any) -> list[list[Any]]:
                statements.append(query)
                if error is not None:
                    raise error
                return reader.rows(query, **parameters)

        return Watched()


@contextlib.contextmanager
def counted(
    folder: Path, error: Exception | None = None
) -> Iterator[tuple[served.Served, list[str]]]:
    statements: list[str] = []
    chosen = Settings(database_url=f"sqlite:///{folder}/platform.db")
    database = opening.opened(chosen, "test-installation")
    running = app.parts(chosen, database)
    running = replace(running, page_readers=Readers(Counted(database, statements, error)))
    with asgi.serving(app.create_app(chosen, running)) as caller:
        yield served.Served(chosen, running, caller, clock.utc_now), statements
