"""The look-ups that every request makes use an index, whatever the size of the tables."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ordertrail.domain.filter import Filter, Op
from ordertrail.domain.journal import Subject
from ordertrail.insight import reports
from ordertrail.kit.database import Dialect, Reader, Value
from ordertrail.kit.paging import Place
from ordertrail.kit.sqlite import Sqlite
from ordertrail.kit.wording import worded
from ordertrail.store import (
    answers,
    attributes,
    browse,
    browse_around,
    companies,
    contact_filters,
    contact_merges,
    contacts,
    deal_filters,
    deal_look,
    deals,
    events,
    exports,
    groups,
    journal,
    keys,
    lists,
    migrations,
    names,
    pipelines,
    products,
    stage_changes,
    tags,
)
from ordertrail.store.browse import DealFilter

HOT = {
    "a contact by custom id": (
        contacts._BY_CUSTOM_ID,
        {"k": "contacts_custom_id", "c": "PRIMARY KEY"},
    ),
    "a contact's id by custom id": (contacts.IDS, {"k": "contacts_custom_id"}),
    "the oldest contacts by e-mail": (
        contacts._OLDEST_BY_EMAIL,
        {"n": "contacts_email", "k": "PRIMARY KEY", "c": "PRIMARY KEY"},
    ),
    "the newest contacts by e-mail": (
        contacts._NEWEST_BY_EMAIL,
        {"n": "contacts_email", "k": "PRIMARY KEY", "c": "PRIMARY KEY"},
    ),
    "whether an e-mail is that of a merged contact": (
        contacts._ALIASES,
        {"k": "contacts_merged (workspace_id=? AND merged_into=? AND email_folded=?)"},
    ),
    "a contact by id": (contacts._BY_ID, {"k": "PRIMARY KEY", "c": "PRIMARY KEY"}),
    "a contact by user key": (
        contacts._BY_USER_KEY,
        {"k": "contacts_user_key", "c": "PRIMARY KEY"},
    ),
    "a contact's id by user key": (contacts._IDS_BY_USER_KEY, {"k": "contacts_user_key"}),
    "whether contacts are known": (contacts._KNOWN, {"k": "PRIMARY KEY"}),
    "a deal's id by custom id": (deals.IDS, {"d": "deals_custom_id"}),
    "a deal by id": (deals._BY_ID, {"d": "PRIMARY KEY", "o": "PRIMARY KEY", "l": "PRIMARY KEY"}),
    "one deal by custom id": (
        deal_look._BY_CUSTOM_ID,
        {"d": "deals_custom_id", "l": "PRIMARY KEY", "g": "PRIMARY KEY"},
    ),
    "one deal by id": (
        deal_look._BY_ID,
        {"d": "PRIMARY KEY", "l": "PRIMARY KEY", "g": "PRIMARY KEY"},
    ),
    "the lines of one deal": (deal_look._LINES, {"o": "PRIMARY KEY"}),
    "the links of one deal": (deal_look._LINKS, {"l": "PRIMARY KEY", "p": "PRIMARY KEY"}),
    "the tags of one deal": (deal_look._TAGS, {"g": "PRIMARY KEY", "t": "PRIMARY KEY"}),
    "the next contacts of an export": (exports._CONTACTS, {"contacts": "PRIMARY KEY"}),
    "the next deals of an export": (exports._DEALS, {"deals": "PRIMARY KEY"}),
    "the next products of an export": (exports._PRODUCTS, {"products": "PRIMARY KEY"}),
    "the shop's ids of contacts": (exports._NAMES, {"k": "PRIMARY KEY"}),
    "deleting a deal": (deals._DELETE, {"deals": "PRIMARY KEY"}),
    "clearing a deal's tags": (deals._CLEAR_TAGS, {"taggings": "PRIMARY KEY"}),
    "how many stages a deal had": (stage_changes._COUNT, {"j": "journal_stages"}),
    "clearing a deal's lines": (deals._CLEAR_LINES, {"order_products": "PRIMARY KEY"}),
    "clearing a deal's links": (deals._CLEAR_LINKS, {"deal_products": "PRIMARY KEY"}),
    "a product by custom id": (products._BY_CUSTOM_ID, {"p": "products_custom_id"}),
    "what uses a product": (
        products._USES,
        {
            "o": "order_products_product",
            "l": "deal_products_product",
            "e": "product_events_product",
        },
    ),
    "deleting a product": (products._DELETE, {"products": "PRIMARY KEY"}),
    "clearing a product's tags": (products._CLEAR_TAGS, {"taggings": "PRIMARY KEY"}),
    "a product's id": (products.IDS, {"p": "products_custom_id"}),
    "a product's custom id": (products._KEYS, {"p": "PRIMARY KEY"}),
    "a product's counts": (events._PRODUCT_COUNTS, {"product_events": "product_events_product"}),
    "an event by operation key": (
        events._EVENT_KEYS,
        {"e": "events_key", "t": "PRIMARY KEY"},
    ),
    "one name of events": (events._TYPE, {"t": "PRIMARY KEY"}),
    "how many attributes there are": (attributes._COUNT, {"a": "attributes_name"}),
    "a product event by operation key": (
        events._PRODUCT_EVENT_KEYS,
        {"e": "product_events_key"},
    ),
    "an event type by name": (events._TYPES, {"t": "event_types_name"}),
    "the journal of a subject": (journal._OF_SUBJECT, {"journal": "journal_subject"}),
    "the journal of a contact": (journal._OF_CONTACT, {"journal": "journal_contact"}),
    "the events of a contact": (
        journal._EVENTS_OF_CONTACT,
        {"e": "events_contact", "t": "PRIMARY KEY"},
    ),
    "the product events of a contact": (
        journal._PRODUCT_EVENTS_OF_CONTACT,
        {"product_events": "product_events_contact"},
    ),
    "a key by its hash": (keys._BY_HASH, {"k": "keys_hash"}),
    "noting a key's use": (keys._NOTE_USE, {"keys": "PRIMARY KEY"}),
    "the stages": (pipelines.STAGES, {"p": "PRIMARY KEY", "s": "PRIMARY KEY"}),
    "a company by custom id": (
        companies._BY_CUSTOM_ID,
        {"o": "companies_custom_id", "m": "PRIMARY KEY", "g": "PRIMARY KEY"},
    ),
    "a company by id": (companies._BY_ID, {"o": "PRIMARY KEY", "m": "PRIMARY KEY"}),
    "dropping a company's members": (companies._DROP_MEMBERS, {"company_members": "PRIMARY KEY"}),
    "dropping a company's tags": (companies._DROP_TAGS, {"taggings": "PRIMARY KEY"}),
    "whether a deal stands in a stage": (pipelines._IN_USE, {"d": "deals_stage"}),
    "how many deals a stage has": (journal._COUNT_DEALS_IN, {"d": "deals_stage"}),
    "the entries of deals that are moved": (journal._ADD_FOR_DEALS_IN, {"d": "deals_stage"}),
    "moving deals": (pipelines._MOVE, {"deals": "deals_stage"}),
    "emptying a tag": (groups.TAGS._statements["empty"], {"taggings": "taggings_tag"}),
    "emptying a list": (groups.LISTS._statements["empty"], {"list_members": "PRIMARY KEY"}),
    "attributes by name": (attributes._BY_NAME, {"a": "attributes_name"}),
    "tags by name": (tags._IDS, {"t": "tags_name"}),
    "taking tags away": (tags._DETACH, {"taggings": "taggings_tag"}),
    "whether lists are known": (lists._BY_ID, {"l": "PRIMARY KEY"}),
    **{
        f"statement {place} of merging contacts": (statement, {table: index})
        for place, (statement, (table, index)) in enumerate(
            zip(
                contact_merges._MERGING,
                (
                    ("contacts", "contacts_merged"),
                    ("contacts", "PRIMARY KEY"),
                    ("events", "events_contact"),
                    ("product_events", "product_events_contact"),
                    ("deals", "deals_contact"),
                    ("journal", "journal_contact"),
                    ("taggings", "PRIMARY KEY"),
                    ("list_members", "list_members_contact"),
                    ("company_members", "company_members_contact"),
                    ("taggings", "PRIMARY KEY"),
                    ("list_members", "list_members_contact"),
                    ("company_members", "company_members_contact"),
                ),
                strict=True,
            )
        )
    },
    **{
        f"statement {place} of deleting contacts": (statement, {table: index})
        for place, (statement, (table, index)) in enumerate(
            zip(
                (
                    *contact_merges._DELETING,
                    contact_merges._UNLINK_DEALS,
                    contact_merges._MEMBERS_OF,
                    contact_merges._COUNT_DEALS,
                    contact_merges._TELL_OF_DEALS,
                    contact_merges._COUNT_MEMBERSHIPS,
                    contact_merges._TELL_OF_COMPANIES,
                ),
                (
                    ("taggings", "PRIMARY KEY"),
                    ("list_members", "list_members_contact"),
                    ("company_members", "company_members_contact"),
                    ("events", "events_contact"),
                    ("product_events", "product_events_contact"),
                    ("journal", "journal_contact"),
                    ("journal", "journal_subject"),
                    ("contacts", "PRIMARY KEY"),
                    ("deals", "deals_contact"),
                    ("c", "contacts_merged"),
                    ("d", "deals_contact"),
                    ("d", "deals_contact"),
                    ("m", "company_members_contact"),
                    ("m", "company_members_contact"),
                ),
                strict=True,
            )
        )
    },
    "taking contacts off lists": (lists._REMOVE_MEMBERS, {"list_members": "list_members_contact"}),
}
OF_WHOLE_WORKSPACES = ("a key by its hash", "the stages")
SORTED_BY_INDEX = (
    "the journal of",
    "the events of",
    "the product events of",
    "the oldest contacts by",
    "the newest contacts by",
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path_factory.mktemp("plans") / "t.db")
    migrations.apply(file)
    yield file
    file.close()


def plan(database: Sqlite, statement: str) -> list[str]:
    statement = worded(statement, Dialect.SQLITE)
    named = dict.fromkeys(re.findall(r":([a-z_0-9]+)", statement), "[]")
    found = database.write(lambda tx: tx.fetch(f"EXPLAIN QUERY PLAN {statement}", **named))
    return [str(row[3]) for row in found]


@pytest.mark.parametrize("what", HOT)
def test_a_hot_look_up_uses_its_index(database: Sqlite, what: str) -> None:
    statement, wanted = HOT[what]
    steps = plan(database, statement)
    assert [step for step in steps if step.startswith("SCAN") and not is_ours(step)] == [], steps
    for table, index in wanted.items():
        [step] = [step for step in steps if step.split()[:2] == ["SEARCH", table]]
        assert index in step, steps
        assert "workspace_id=? AND" in step or what in OF_WHOLE_WORKSPACES, steps
    if what.startswith(SORTED_BY_INDEX):
        assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step], steps


@pytest.mark.parametrize(
    "index",
    [
        "events_contact",
        "product_events_contact",
        "deals_contact",
        "list_members_contact",
        "company_members_contact",
    ],
)
def test_what_refers_to_a_contact_that_is_deleted_is_looked_for_by_index(
    database: Sqlite, index: str
) -> None:
    steps = plan(database, contact_merges._DELETE)
    assert any(f"INDEX {index} (workspace_id=? AND contact_id=?)" in step for step in steps), steps


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (products._DELETE, "product_events_product (workspace_id=? AND product_id=?)"),
        (products._DELETE, "order_products_product (workspace_id=? AND product_id=?)"),
        (products._DELETE, "deal_products_product (workspace_id=? AND product_id=?)"),
        (deals._DELETE, "order_products USING PRIMARY KEY (workspace_id=? AND deal_id=?)"),
        (deals._DELETE, "deal_products USING PRIMARY KEY (workspace_id=? AND deal_id=?)"),
        (pipelines._DELETE_STAGES, "deals_stage (workspace_id=? AND stage_id=?)"),
    ],
)
def test_what_refers_to_a_thing_that_is_deleted_is_looked_for_by_index(
    database: Sqlite, statement: str, index: str
) -> None:
    steps = plan(database, statement)
    assert any(index in step for step in steps), steps


class Noted:
    """A reader that notes what it is asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.statements: list[str] = []

    def rows(self, query: str, **parameters: Value) -> list[list[Any]]:
        self.statements.append(query)
        return self._reader.rows(query, **parameters)

    def fetch(self, query: str, **parameters: Value) -> list[tuple[Any, ...]]:
        self.statements.append(query)
        return self._reader.fetch(query, **parameters)


def asked(reader: Reader, show: Callable[[Reader], object]) -> list[str]:
    """The statements that showing something takes."""
    noted = Noted(reader)
    show(noted)
    return noted.statements


def deal_page(reader: Reader, field: str, value: str) -> object:
    return deal_filters.page(reader, 1, [Filter(field, Op.EXACT, value)], Place())


SHOWN: dict[str, tuple[Callable[[Reader], object], list[str]]] = {
    "the deals of a contact": (
        lambda r: browse.deals(r, 1, DealFilter(contact_id=1), browse.NEWEST, 50),
        ["d USING INDEX deals_contact (workspace_id=? AND contact_id=?)"],
    ),
    "how many deals a contact has": (
        lambda r: browse.count_deals(r, 1, DealFilter(contact_id=1)),
        ["d USING COVERING INDEX deals_contact (workspace_id=? AND contact_id=?)"],
    ),
    "the deals of a product": (
        lambda r: browse.deals(r, 1, DealFilter(product_id=1), browse.NEWEST, 50),
        ["d USING PRIMARY KEY (workspace_id=? AND id=?)", "order_products_product"],
    ),
    "the sales of a product": (
        lambda r: browse.sales_of(r, 1, 1),
        [
            "d USING PRIMARY KEY (workspace_id=? AND id=?)",
            "o USING INDEX order_products_product (workspace_id=? AND product_id=?)",
        ],
    ),
    "contacts": (
        lambda r: browse.contacts(r, 1, "", 9, 50),
        ["c USING PRIMARY KEY (workspace_id=? AND id<?)", "deals_contact (workspace_id=? AND c"],
    ),
    "products": (
        lambda r: browse.products(r, 1, "", 9, 50),
        [
            "p USING PRIMARY KEY (workspace_id=? AND id<?)",
            "o USING INDEX order_products_product (workspace_id=? AND product_id=?)",
            "o USING COVERING INDEX order_products_product (workspace_id=? AND product_id=?)",
        ],
    ),
    "names": (
        lambda r: names.names(r, 1, {(Subject.STAGE, 1)}),
        [
            *(f"{table} USING PRIMARY KEY (workspace_id=? AND id=?)" for table in "tkc"),
            "j USING INDEX journal_subject (workspace_id=? AND subject=? AND subject_id=?)",
        ],
    ),
    "a contact in numbers": (
        lambda r: browse_around.figures(r, 1, 1, ()),
        [
            f"{table}_contact (workspace_id=? AND contact_id=?)"
            for table in ("deals", "events", "product_events", "journal")
        ],
    ),
    "the changes of a thing": (
        lambda r: browse_around.changes(r, 1, Subject.DEAL, 1, 50),
        ["j USING INDEX journal_subject (workspace_id=? AND subject=? AND subject_id=?)"],
    ),
    "the timeline of a contact": (
        lambda r: browse_around.timeline(r, 1, 1, browse.NEWEST, 50),
        [
            f"{table}_contact (workspace_id=? AND contact_id=? AND (at,id)<(?,?))"
            for table in ("events", "product_events", "journal")
        ],
    ),
    **{
        f"contacts by {field}": (
            lambda r, field=field: contact_filters.page(
                r, 1, contact_filters.condition([Filter(field, Op.EXACT, "x")]), Place()
            ),
            [f"k USING INDEX {index}", "c USING PRIMARY KEY (workspace_id=? AND id=?)"],
        )
        for field, index in (
            ("email", "contacts_email"),
            ("phone_number", "contacts_phone"),
            ("custom_id", "contacts_custom_id"),
            ("user_key", "contacts_user_key"),
        )
    },
    "contacts with a tag": (
        lambda r: contact_filters.page(
            r, 1, contact_filters.condition([Filter("tags", Op.EXACT, "x")]), Place()
        ),
        [
            "t USING COVERING INDEX tags_name (workspace_id=? AND name=?)",
            "g USING COVERING INDEX taggings_tag (workspace_id=? AND tag_id=? AND subject=?)",
        ],
    ),
    "contacts on a list": (
        lambda r: contact_filters.page(
            r, 1, contact_filters.condition([Filter("lists", Op.EXACT, "1")]), Place()
        ),
        ["m USING PRIMARY KEY (workspace_id=? AND list_id=?)"],
    ),
    "deals about a product": (
        lambda r: deal_page(r, "products_custom_id", "P"),
        [
            "p USING COVERING INDEX products_custom_id (workspace_id=? AND custom_id=?)",
            "order_products_product (workspace_id=? AND product_id=?)",
            "deal_products_product (workspace_id=? AND product_id=?)",
        ],
    ),
    "contacts by anything": (
        lambda r: contact_filters.page(
            r, 1, contact_filters.condition([Filter("plan", Op.GTE, "1")]), Place(7)
        ),
        ["c USING PRIMARY KEY (workspace_id=? AND id<?)"],
    ),
    "the members of a company": (
        lambda r: companies.members(r, 1, 1, Place(9, False, 1)),
        ["m USING PRIMARY KEY (workspace_id=? AND company_id=? AND contact_id<?)"],
    ),
    "companies by anything": (
        lambda r: companies.page(r, 1, [Filter("plan", Op.GTE, "1")], Place(7, False, 1)),
        ["o USING PRIMARY KEY (workspace_id=? AND id<?)"],
    ),
    "companies by custom id": (
        lambda r: companies.page(r, 1, [Filter("custom_id", Op.EXACT, "x")], Place()),
        ["o USING INDEX companies_custom_id (workspace_id=? AND custom_id=?)"],
    ),
    "who bears a tag": (
        lambda r: groups.bearers(r, 1, 1, "deal", Place(9, False, 1)),
        ["g USING COVERING INDEX taggings_tag (workspace_id=? AND tag_id=? AND subject=?"],
    ),
    "who is on a list": (
        lambda r: groups.listed(r, 1, 1, Place(9, False, 1)),
        ["m USING PRIMARY KEY (workspace_id=? AND list_id=? AND contact_id<?)"],
    ),
    "deals of one contact": (
        lambda r: deal_page(r, "user_id", "1"),
        ["d USING INDEX deals_contact (workspace_id=? AND contact_id=?)"],
    ),
    "deals by the shop's id of a contact": (
        lambda r: deal_page(r, "user_custom_id", "A"),
        [
            "d USING INDEX deals_contact (workspace_id=? AND contact_id=?)",
            "k USING INDEX contacts_custom_id (workspace_id=? AND custom_id=?)",
        ],
    ),
    "deals by the key of a contact": (
        lambda r: deal_page(r, "userkey", "A"),
        ["k USING INDEX contacts_user_key (workspace_id=? AND user_key=?)"],
    ),
    "deals in one stage": (
        lambda r: deal_page(r, "stage", "1"),
        ["d USING INDEX deals_stage (workspace_id=? AND stage_id=?)"],
    ),
    "a deal of a list by its custom id": (
        lambda r: deal_page(r, "custom_id", "A"),
        ["d USING INDEX deals_custom_id (workspace_id=? AND custom_id=?)"],
    ),
    "the next page of deals": (
        lambda r: deal_filters.page(r, 1, (), Place(9, False, 20)),
        ["d USING PRIMARY KEY (workspace_id=? AND id<?)"],
    ),
    "the stages of a deal": (
        lambda r: stage_changes.page(r, 1, 1, Place(9, False, 20)),
        [
            "j USING INDEX journal_stages (workspace_id=? AND subject_id=? AND id<?)",
            "n USING INDEX journal_stages (workspace_id=? AND subject_id=? AND id>?)",
        ],
    ),
    "the summary": (lambda r: reports.summary(r, 1), ["deals USING PRIMARY KEY (workspace_id=?)"]),
}


@pytest.mark.parametrize("what", SHOWN)
def test_what_pages_show_is_found_by_index(database: Sqlite, what: str) -> None:
    show, wanted = SHOWN[what]
    statements = database.read(lambda reader: asked(reader, show))
    steps = [step for each in statements for step in plan(database, each)]
    for step in steps:
        if step.startswith("SEARCH") and "AUTOMATIC" not in step:
            assert "workspace_id=?" in step, steps
    for index in wanted:
        assert any(index in step for step in steps), steps


def is_ours(step: str) -> bool:
    """What is sent with the statement, or made by it, may be gone through."""
    return "VIRTUAL TABLE" in step or step.split()[1].startswith(("(", "n", "f", "h", "CONSTANT"))


def test_no_index_is_without_use(database: Sqlite) -> None:
    """Each is in a plan of some statement; those that keep something unique are needed anyway."""
    reports_asked = database.read(lambda reader: asked(reader, lambda r: reports.summary(r, 1)))
    shown = [
        statement
        for show, _ in SHOWN.values()
        for statement in database.read(lambda reader, show=show: asked(reader, show))
    ]
    constants = [*(statement for statement, _ in HOT.values()), answers._FORGET, answers._OLDEST]
    steps = " ".join(
        step
        for statement in (*constants, *shown, *reports_asked)
        for step in plan(database, statement)
    )
    listed = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE INDEX%'"
    names = [name for (name,) in database.read(lambda reader: reader.fetch(listed))]
    assert len(names) > 15
    assert [name for name in names if not re.search(rf"\b{name}\b", steps)] == []
