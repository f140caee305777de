"""Random commands in batches of any size end as they do one by one, and as a plain dict says."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ordertrail.actions import contacts, deals, events, products, workspaces
from ordertrail.actions.events import Create as CreateEvent
from ordertrail.actions.products import CreateEvent as CreateProductEvent
from ordertrail.actions.workspaces import Workspace
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.contact import ContactChange, ContactName
from ordertrail.domain.deal import DealChange, DealName, SentLine, Status
from ordertrail.domain.errors import Refused
from ordertrail.domain.event import NewEvent
from ordertrail.domain.identity import folded_email
from ordertrail.domain.journal import Author, Origin
from ordertrail.domain.product import NewProductEvent
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import migrations

AT = datetime(2026, 1, 1, tzinfo=UTC)
ME = Author("test", Origin.BACKFILL)
NUMBERS = itertools.count(1)

PEOPLE = st.sampled_from(["ann", "bob", "cy"])
EMAILS = st.sampled_from(["a@x.test", "A@X.test ", "b@x.test", None])
SKUS = st.sampled_from(["P", "Q", "R"])
MAYBE_KEYS = st.sampled_from([None, None, "k1", "k2", "k3"])
SMALL = st.dictionaries(st.sampled_from(["size", "gift"]), st.sampled_from([1, True, "x", None]))


def or_absent(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just(ABSENT) | values


CONTACTS = st.builds(
    ContactChange,
    custom_id=PEOPLE | st.none(),
    email=or_absent(EMAILS),
    profile=st.dictionaries(st.sampled_from(["city", "country"]), st.sampled_from(["York", None])),
    attributes=SMALL,
)
LINES = st.builds(
    SentLine,
    quantity=st.integers(1, 3),
    price_micros=st.sampled_from([1_000_000, 2_500_000]),
    product_custom_id=SKUS,
)
DEALS = st.builds(
    DealChange,
    custom_id=st.sampled_from(["D1", "D2", "D3"]),
    user_custom_id=or_absent(st.sampled_from(["ann", "bob", "nobody"])),
    name=or_absent(st.sampled_from(["one", "two"])),
    stage=or_absent(st.sampled_from([1, 2, 3, 99])),
    status=or_absent(st.sampled_from(Status)),
    value=or_absent(st.sampled_from([Decimal(0), Decimal("149.90")])),
    currency=or_absent(st.sampled_from(["USD", "JPY"])),
    lines=or_absent(st.lists(LINES, max_size=3).map(tuple)),
    products_custom_id=or_absent(st.lists(SKUS, max_size=3).map(tuple)),
    attributes=SMALL,
)
PRODUCT_EVENTS = st.builds(
    CreateProductEvent,
    SKUS,
    st.builds(
        NewProductEvent,
        st.sampled_from(["order", "purchase"]),
        user_custom_id=st.sampled_from(["ann", "bob", "nobody"]),
        details=st.dictionaries(st.just("name"), st.sampled_from(["Cup", "Mug"])),
    ),
    st.just(ME),
    MAYBE_KEYS,
)
EVENTS = st.builds(
    CreateEvent,
    st.sampled_from(["ann", "bob", "nobody"]).map(lambda who: ContactName(custom_id=who)),
    st.builds(NewEvent, st.sampled_from(["seen", "purchase_completed"]), data=SMALL),
    st.just(ME),
    MAYBE_KEYS,
)
BATCHES = st.lists(
    st.tuples(st.just("contacts"), st.lists(CONTACTS, min_size=1, max_size=6))
    | st.tuples(st.just("deals"), st.lists(DEALS, min_size=1, max_size=6))
    | st.tuples(st.just("product events"), st.lists(PRODUCT_EVENTS, min_size=1, max_size=6))
    | st.tuples(st.just("events"), st.lists(EVENTS, min_size=1, max_size=6)),
    max_size=8,
)


@dataclass
class Model:
    """What the actions promise, in lists and dicts."""

    contacts: list[dict[str, Any]] = field(default_factory=list)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    product_events: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    keys: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)

    def take(self, kind: str, command: Any) -> bool:
        """Carry the command out, or return False when it is to be refused."""
        return bool(getattr(self, "_" + kind.replace(" ", "_"))(command))

    def contact(self, custom_id: str) -> dict[str, Any] | None:
        return next((each for each in self.contacts if each["custom_id"] == custom_id), None)

    def _contacts(self, change: ContactChange) -> bool:
        if change.custom_id is not None:
            found = self.contact(change.custom_id)
        elif change.email:
            email = folded_email(change.email)
            known = [each for each in self.contacts if each["email"]]
            found = next((each for each in known if folded_email(each["email"]) == email), None)
        else:
            return False
        if found is None:
            found = {"custom_id": change.custom_id, "email": None, "profile": {}, "attributes": {}}
            self.contacts.append(found)
        if change.email is not ABSENT:
            found["email"] = change.email
        found["profile"].update(change.profile)
        found["attributes"].update(change.attributes)
        return True

    def _deals(self, change: DealChange) -> bool:
        if change.stage == 99 or (
            change.user_custom_id is not ABSENT and self.contact(change.user_custom_id) is None
        ):
            return False
        deal = self.deals.setdefault(
            change.custom_id,
            {
                "name": change.custom_id,
                "user": None,
                "stage": 1,
                "status": Status.IN_PROGRESS,
                "value": Decimal(0),
                "currency": "EUR",
                "lines": (),
                "links": set(),
                "attributes": {},
            },
        )
        for name, sent in (
            ("name", change.name),
            ("user", change.user_custom_id),
            ("stage", change.stage),
            ("status", change.status),
            ("value", change.value),
            ("currency", change.currency),
        ):
            if sent is not ABSENT:
                deal[name] = sent
        if deal["currency"] == "JPY":
            deal["value"] = round(deal["value"])
        deal["attributes"].update(change.attributes)
        if change.lines is not ABSENT:
            deal["links"] |= {line[0] for line in deal["lines"]}
            deal["lines"] = tuple(
                (line.product_custom_id, line.quantity, line.price_micros, deal["currency"])
                for line in change.lines
            )
        if change.products_custom_id is not ABSENT:
            deal["links"] = set(change.products_custom_id)
        deal["links"] -= {line[0] for line in deal["lines"]}
        for sku in change.product_keys():
            self.products.setdefault(sku, {})
        return True

    def _product_events(self, command: CreateProductEvent) -> bool:
        if self.contact(command.event.user_custom_id or "") is None:
            return False
        told = (command.event.user_custom_id, command.product_custom_id, command.event.event_type)
        first = self._first_told("product", command.operation_key, told)
        if first is not None:
            return first == told
        self.products.setdefault(command.product_custom_id, {}).update(command.event.details)
        self.product_events.append(told)
        return True

    def _events(self, command: CreateEvent) -> bool:
        who = command.contact.custom_id
        if self.contact(who or "") is None:
            return False
        told = (who, command.event.name, json.dumps(sorted(command.event.data.items())))
        first = self._first_told("event", command.operation_key, told)
        if first is not None:
            return first == told
        self.events.append((who, command.event.name, dict(command.event.data)))
        return True

    def _first_told(
        self, kind: str, key: str | None, told: tuple[Any, ...]
    ) -> tuple[Any, ...] | None:
        """What came with the key before, or None when it is new; it is kept then."""
        if key is None:
            return None
        first = self.keys.get((kind, key))
        self.keys.setdefault((kind, key), told)
        return first


def carried_out(
    database: Sqlite, workspace_id: int, kind: str, batches: Sequence[Sequence[Any]]
) -> list[bool]:
    """Hand in batches, one after the other, and tell of each command whether it was done."""

    def work(tx: Tx) -> list[Any]:
        outcomes: list[Any] = []
        for sent in batches:
            commands = [_command(kind, each) for each in sent]
            outcomes += ACTIONS[kind](tx, Batch(workspace_id, AT, commands))
        return outcomes

    return [not isinstance(outcome, Refused) for outcome in database.write(work)]


ACTIONS: dict[str, Any] = {
    "contacts": contacts.upsert,
    "deals": deals.upsert,
    "product events": products.create_events,
    "events": events.create,
}


def _command(kind: str, sent: Any) -> Any:
    if kind == "contacts":
        return contacts.Upsert(sent, ME, f"key-{next(NUMBERS)}")
    return deals.Upsert(sent, ME) if kind == "deals" else sent


def kept(database: Sqlite, workspace_id: int) -> dict[str, Any]:
    """What the tables hold, in the words of the model."""

    def rows(columns: str, table: str, order: str = "id") -> list[list[Any]]:
        query = (
            f"SELECT json_group_array(json_array({columns})) FROM"
            f" (SELECT * FROM {table} WHERE workspace_id = :w ORDER BY {order})"
        )
        return database.read(lambda reader: reader.rows(query, w=workspace_id))

    people = rows("id, custom_id, email, json(profile), json(attributes)", "contacts")
    who = {row[0]: row[1] for row in people}
    goods = rows("id, custom_id, json(details)", "products")
    what = {row[0]: row[1] for row in goods}
    names = dict(rows("id, name", "event_types"))
    custom_ids = [row[0] for row in rows("custom_id", "deals")]
    found = [
        database.read(
            lambda reader, key=key: deals.named(reader, workspace_id, DealName(custom_id=key))
        ).deal
        for key in custom_ids
    ]
    return {
        "contacts": [
            dict(zip(("custom_id", "email", "profile", "attributes"), row[1:], strict=True))
            for row in people
        ],
        "deals": {
            deal.custom_id: {
                "name": deal.name,
                "user": who.get(deal.contact_id or 0),
                "stage": deal.stage_id,
                "status": deal.status,
                "value": deal.value.amount,
                "currency": deal.value.currency,
                "lines": tuple(
                    (line.product_custom_id, line.quantity, line.price_micros, line.currency)
                    for line in deal.lines
                ),
                "links": {what[product_id] for product_id in deal.linked_ids},
                "attributes": dict(deal.attributes),
            }
            for deal in found
        },
        "products": {row[1]: row[2] for row in goods},
        "product_events": [
            (who[contact], what[product], event_type)
            for contact, product, event_type in rows(
                "contact_id, product_id, event_type", "product_events"
            )
        ],
        "events": [
            (who[contact], names[type_id], data)
            for contact, type_id, data in rows("contact_id, event_type_id, json(data)", "events")
        ],
    }


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path_factory.mktemp("random") / "t.db")
    migrations.apply(file)
    yield file
    file.close()


def new_workspace(database: Sqlite) -> int:
    number = next(NUMBERS)
    made = Workspace(number, f"w{number}", "Random", "EUR", "UTC", AT)
    database.write(lambda tx: workspaces.create(tx, made))
    return number


# Shrinking a failure would take minutes here: the first one found is shown as it is.
@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(BATCHES)
def test_batches_end_as_single_commands_and_as_a_dict_says(
    database: Sqlite, batches: list[tuple[str, list[Any]]]
) -> None:
    together, alone, model = new_workspace(database), new_workspace(database), Model()
    for kind, sent in batches:
        done = carried_out(database, together, kind, [sent])
        one_by_one = carried_out(database, alone, kind, [[command] for command in sent])
        assert done == one_by_one == [model.take(kind, command) for command in sent]
    wanted = {name: value for name, value in vars(model).items() if name != "keys"}
    assert without_nulls(kept(database, alone)) == without_nulls(wanted)
    assert without_nulls(kept(database, together)) == without_nulls(wanted)


def without_nulls(value: Any) -> Any:
    """A field that is null and one that was never sent are the same to a reader."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value
