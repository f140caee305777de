"""The look-ups that every request makes use an index, whatever the size of the tables."""

import re
from collections.abc import Iterator

import pytest

from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import (
    contacts,
    deals,
    events,
    journal,
    keys,
    migrations,
    products,
    workspaces,
)

HOT = {
    "a contact by custom id": (contacts._BY_CUSTOM_ID, {"c": "contacts_custom_id"}),
    "a contact's id by custom id": (contacts._IDS, {"c": "contacts_custom_id"}),
    "a contact by e-mail": (contacts._BY_EMAIL, {"c": "contacts_email"}),
    "a contact by id": (contacts._BY_ID, {"c": "PRIMARY KEY"}),
    "whether contacts are known": (contacts._KNOWN, {"c": "PRIMARY KEY"}),
    "a deal by custom id": (
        deals._BY_CUSTOM_ID,
        {"d": "deals_custom_id", "o": "PRIMARY KEY", "l": "PRIMARY KEY"},
    ),
    "a deal by id": (deals._BY_ID, {"d": "PRIMARY KEY", "o": "PRIMARY KEY", "l": "PRIMARY KEY"}),
    "clearing a deal's lines": (deals._CLEAR_LINES, {"order_products": "PRIMARY KEY"}),
    "clearing a deal's links": (deals._CLEAR_LINKS, {"deal_products": "PRIMARY KEY"}),
    "a product by custom id": (products._BY_CUSTOM_ID, {"p": "products_custom_id"}),
    "a product's id": (products._IDS, {"p": "products_custom_id"}),
    "a product's custom id": (products._KEYS, {"p": "PRIMARY KEY"}),
    "a product's counts": (events._PRODUCT_COUNTS, {"product_events": "product_events_product"}),
    "an event by operation key": (events._EVENT_KEYS, {"e": "events_key"}),
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
    "the stages": (workspaces._STAGES, {"p": "PRIMARY KEY", "s": "PRIMARY KEY"}),
    "attributes by name": (workspaces._ATTRIBUTES, {"a": "attributes_name"}),
}
SORTED_BY_INDEX = ("the journal of", "the events of", "the product events of")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path_factory.mktemp("plans") / "t.db")
    migrations.apply(file)
    yield file
    file.close()


def plan(database: Sqlite, statement: str) -> list[str]:
    named = dict.fromkeys(re.findall(r":([a-z_]+)", statement), "[]")
    found = database.write(lambda tx: tx.returning(f"EXPLAIN QUERY PLAN {statement}", **named))
    return [str(row[3]) for row in found]


@pytest.mark.parametrize("what", HOT)
def test_a_hot_look_up_uses_its_index(database: Sqlite, what: str) -> None:
    statement, wanted = HOT[what]
    steps = plan(database, statement)
    assert [step for step in steps if step.startswith("SCAN") and not is_ours(step)] == [], steps
    for table, index in wanted.items():
        [step] = [step for step in steps if step.split()[:2] == ["SEARCH", table]]
        assert index in step, steps
        assert "workspace_id=?" in step or index == "keys_hash", steps
    if what.startswith(SORTED_BY_INDEX):
        assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step], steps


def is_ours(step: str) -> bool:
    """What is sent with the statement, or made by it, may be gone through."""
    return "VIRTUAL TABLE" in step or step.split()[1].startswith(("(", "n", "CONSTANT"))
