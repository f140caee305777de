import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import outbox_worker
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_orders import (
    CANCELLED,
    FULFILLED,
    JOHN,
    PARTLY_RETURNED,
    PLACED,
    RETURNED,
)
from order_histories import made_orders

from ordertrail.domain.order import Customer, Order
from ordertrail.kit import json
from ordertrail.kit.database import DatabaseRefused
from ordertrail.kit.sqlite import Sqlite
from ordertrail.sync import arrivals, outbox_operations, outbox_orders
from ordertrail.sync.flow import Flow, Stages
from ordertrail.sync.outbox import Outbox
from ordertrail.sync.outbox_operations import Counts, Outcome, Waiting
from ordertrail.sync.outbox_orders import Quarantined, Route
from ordertrail.sync.plan import Kind

AT = datetime(2026, 5, 1, tzinfo=UTC)
THERE = "http://there"
ROUTE = Route("shop", THERE)
FLOW = Flow()
BAD = replace(PLACED, currency="???")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db", lambda: AT) as opened:
        yield opened


def numbered(order: Order, n: int, email: str | None = None) -> Order:
    return replace(order, id=f"O{n}", customer=replace(JOHN, email=email or f"j{n}@example.com"))


def done(operations: list[Waiting]) -> list[Outcome]:
    return [Outcome(each, 1) for each in operations]


def rows(path: Path, query: str) -> list[list[Any]]:
    database = Sqlite(path)
    found = database.read(lambda reader: reader.rows(query))
    database.close()
    return found


def tables(path: Path) -> list[list[Any]]:
    """Everything that a file holds, but for when it was written."""
    return [
        rows(path, f"SELECT json_group_array(json_array({columns})) FROM {table}")
        for table, columns in {
            "snapshots": "order_id, content_hash, planned, body",
            "quarantine": "order_id, reason",
            "contacts": "custom_id, lane, body, changes",
            "operations": "id, key, lane, step, kind, path, body, state, attempts, reason",
        }.items()
    ]


def test_an_accepted_order_waits_as_its_operations(outbox: Outbox) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [FULFILLED])
    assert (accepted.orders, accepted.changed, accepted.unchanged) == (1, 1, 0)
    assert accepted.operations == {"contact": 1, "deal": 1, "product_event": 4, "conversion": 1}
    waiting = outbox.waiting(THERE)
    assert [each.kind for each in waiting] == [
        "contact", "deal", *["product_event"] * 4, "conversion",
    ]  # fmt: skip
    assert waiting[1].call.body["stage"] == 2
    assert waiting[1].call.path == "/api/public/deals/update_or_create/"
    assert outbox.counts(THERE) == Counts(accepted=7, waiting=7, parked=0, quarantined=0)
    assert outbox.destinations() == [THERE]


def test_an_order_that_is_as_it_was_writes_nothing(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    before = tables(outbox.path)
    log = Path(f"{outbox.path}-wal").read_bytes()
    writer = apsw.Connection(str(outbox.path))
    writer.execute("BEGIN IMMEDIATE")
    again = outbox.accept(ROUTE, FLOW, [FULFILLED, FULFILLED])
    writer.close()
    assert (again.orders, again.unchanged, again.changed) == (2, 2, 0)
    assert not again.operations
    assert tables(outbox.path) == before
    assert Path(f"{outbox.path}-wal").read_bytes() == log


def test_other_settings_plan_the_same_orders_anew(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    moved = outbox.accept(ROUTE, Flow(Stages(13, 12, 14)), [FULFILLED])
    assert moved.operations == {Kind.DEAL: 1}
    assert outbox.waiting(THERE)[-1].call.body == {"custom_id": "ORD-78523", "stage": 12}


def test_each_snapshot_plans_what_the_one_before_did_not(outbox: Outbox) -> None:
    for order, keys in (
        (PLACED, {"contact", "deal", "product_event"}),
        (FULFILLED, {"deal", "product_event", "conversion"}),
        (PARTLY_RETURNED, {"deal"}),
        (RETURNED, {"deal"}),
        (FULFILLED, {"deal"}),
    ):
        assert outbox.accept(ROUTE, FLOW, [order]).operations.keys() == keys
    deals = [each for each in outbox.waiting(THERE) if each.kind == Kind.DEAL]
    assert [each.key.rsplit(":", 1)[1] for each in deals] == ["1", "2", "3", "4", "5"]
    assert deals[-1].call.body["refunds"] is None


def test_snapshots_of_one_order_in_one_list_are_taken_one_after_the_other(outbox: Outbox) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [PLACED, FULFILLED, PLACED, PLACED, FULFILLED])
    assert (accepted.changed, accepted.unchanged) == (4, 1)
    bodies = [each.call.body for each in outbox.waiting(THERE) if each.kind == Kind.DEAL]
    assert [body["stage"] for body in bodies] == [1, 2, 1, 2]
    assert outbox.accept(ROUTE, FLOW, [FULFILLED]).unchanged == 1
    assert outbox.accept(ROUTE, FLOW, [PLACED, FULFILLED]).changed == 2


def test_orders_of_one_contact_share_its_lane_and_say_it_once(outbox: Outbox) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [numbered(PLACED, n, "j@example.com") for n in range(3)])
    assert accepted.operations[Kind.CONTACT] == 1
    assert len({each.lane for each in outbox.waiting(THERE)}) == 1
    later = outbox.accept(ROUTE, FLOW, [numbered(PLACED, 9, "J@example.com ")])
    assert later.operations[Kind.CONTACT] == 1, "the e-mail is spelt anew"


def test_sources_and_destinations_are_told_apart(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert outbox.accept(Route("shop", "http://there#2"), FLOW, [PLACED]).changed == 1
    assert outbox.accept(Route("till", THERE), FLOW, [PLACED]).operations[Kind.CONTACT] == 0
    assert outbox.counts(THERE).accepted == 7
    assert outbox.counts("http://there#2").accepted == 4
    assert outbox.counts("http://nowhere") == Counts(0, 0, 0, 0)
    assert outbox.destinations() == [THERE, "http://there#2"]


@pytest.mark.parametrize(
    "bad",
    [
        BAD,
        replace(PLACED, attributes={"email_consent": True}),
        replace(PLACED, attributes={"tip": object()}),
        replace(PLACED, attributes={"tip": "\ud800"}),
        replace(PLACED, attributes={"tip": [object()]}),
    ],
)
def test_an_order_that_cannot_be_true_is_kept_apart_and_spoils_nobody(
    outbox: Outbox, bad: Order
) -> None:
    accepted = outbox.accept(ROUTE, FLOW, [numbered(PLACED, 1), bad, numbered(PLACED, 2)])
    assert (accepted.orders, accepted.changed, accepted.unchanged) == (3, 2, 0)
    ((order_id, reason),) = accepted.refused
    assert outbox.quarantined(THERE) == [Quarantined("shop", "ORD-78523", reason)]
    assert order_id == "ORD-78523"
    assert outbox.counts(THERE).quarantined == 1
    assert {each.order_id for each in outbox.waiting(THERE)} == {"O1", "O2"}


@pytest.mark.parametrize("order_id", ["", " ", "\ud800", "a\0b", "x" * 300])
def test_an_id_that_cannot_be_is_quarantined_under_what_can_be_said_of_it(
    outbox: Outbox, order_id: str
) -> None:
    for _ in range(2):
        accepted = outbox.accept(ROUTE, FLOW, [replace(PLACED, id=order_id), PLACED])
        assert len(accepted.refused) == 1
    assert outbox.counts(THERE).quarantined == 1
    assert outbox.counts(THERE).accepted == 4


def test_a_good_snapshot_ends_the_quarantine(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [BAD])
    assert outbox.accept(ROUTE, FLOW, [PLACED]).changed == 1
    assert outbox.quarantined(THERE) == []


def test_a_bad_snapshot_leaves_the_good_one_and_the_same_good_one_ends_it(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    outbox.accept(ROUTE, FLOW, [BAD])
    assert outbox.counts(THERE) == Counts(accepted=4, waiting=4, parked=0, quarantined=1)
    back = outbox.accept(ROUTE, FLOW, [PLACED])
    assert (back.unchanged, outbox.counts(THERE).quarantined) == (1, 0)


@pytest.mark.parametrize(("order", "count"), [([BAD, PLACED], 0), ([PLACED, BAD], 1)])
def test_within_one_list_the_last_snapshot_tells_whether_an_order_is_in_quarantine(
    outbox: Outbox, order: list[Order], count: int
) -> None:
    accepted = outbox.accept(ROUTE, FLOW, order)
    assert (accepted.changed, len(accepted.refused)) == (1, 1)
    assert outbox.counts(THERE).quarantined == count


def test_waiting_goes_lane_by_lane_in_order_and_leaves_out_the_busy(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [numbered(FULFILLED, n) for n in range(5)])
    everything = outbox.waiting(THERE)
    lanes = list(dict.fromkeys(each.lane for each in everything))
    assert lanes == sorted(lanes)
    assert [each.id for each in everything if each.lane == lanes[0]] == sorted(
        each.id for each in everything if each.lane == lanes[0]
    )
    behind = outbox.waiting(THERE, after=lanes[1], busy=[lanes[3]])
    assert list(dict.fromkeys(each.lane for each in behind)) == [lanes[2], lanes[4]]
    assert outbox.waiting(THERE, limit=3) == everything[:3]
    assert outbox.waiting(THERE, after=lanes[-1]) == []


def test_settled_operations_wait_no_more(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    waiting = outbox.waiting(THERE)
    outbox.settle(done(waiting[:3]))
    assert outbox.waiting(THERE) == waiting[3:]
    assert outbox.counts(THERE) == Counts(accepted=7, waiting=4, parked=0, quarantined=0)
    assert outbox.counts(THERE).done == 3


def test_a_parked_product_event_holds_nobody_up(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    waiting = outbox.waiting(THERE)
    assert outbox.settle([Outcome(waiting[2], 1, "refused")]) == 0
    assert len(outbox.waiting(THERE)) == 6
    (parked,) = outbox.parked(THERE)
    assert (parked.key, parked.reason, parked.attempts) == (waiting[2].key, "refused", 1)


@pytest.mark.parametrize(("place", "followers"), [(0, 6), (1, 5)])
def test_a_parked_contact_or_deal_parks_what_follows_of_its_order_alone(
    outbox: Outbox, place: int, followers: int
) -> None:
    outbox.accept(ROUTE, FLOW, [numbered(FULFILLED, n, "j@example.com") for n in range(2)])
    waiting = outbox.waiting(THERE)
    refused = waiting[place]
    assert outbox.settle([*done(waiting[:place]), Outcome(refused, 2, "no")]) == followers
    assert {each.order_id for each in outbox.waiting(THERE)} == {"O1"}
    reasons = Counter(each.reason for each in outbox.parked(THERE))
    assert reasons == {"no": 1, f"waits for {refused.key}": followers}


def test_what_was_done_stays_done_whatever_is_parked_before_it(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    waiting = outbox.waiting(THERE)
    assert outbox.settle([*done(waiting[5:]), Outcome(waiting[1], 1, "no")]) == 3
    assert outbox.counts(THERE).done == 2


DECIDED = (
    "SELECT json_group_array(json_array(key, body, reason)) FROM"
    " (SELECT * FROM operations WHERE state = 'done' ORDER BY id)"
)


def test_what_is_done_keeps_no_body_and_what_is_parked_does(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    waiting = outbox.waiting(THERE)
    outbox.settle([*done(waiting[:2]), Outcome(waiting[2], 1, "no")])
    assert rows(outbox.path, DECIDED) == [[each.key, "", None] for each in waiting[:2]]
    outbox.retry_parked(THERE)
    assert outbox.waiting(THERE) == waiting[2:]


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_accepted_behind_a_parked_one_says_it_all_and_the_rest_comes_behind(
    outbox: Outbox, place: int
) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    contact, deal, *events = outbox.waiting(THERE)
    refused = [contact, deal][place]
    outbox.settle([*done([contact][:place]), Outcome(refused, 1, "no")])
    accepted = outbox.accept(ROUTE, FLOW, [CANCELLED, numbered(PLACED, 1)])
    assert accepted.operations == {Kind.CONTACT: 2, Kind.DEAL: 2, Kind.PRODUCT_EVENT: 2}
    assert outbox.parked(THERE) == []
    new_contact, new_deal, *behind = of_order(outbox, "ORD-78523")
    assert (new_contact.call.body, new_deal.call.path) == (contact.call.body, deal.call.path)
    assert new_deal.call.body["stage"] == FLOW.stages.cancelled
    assert new_deal.call.body.keys() > deal.call.body.keys()
    assert {new_contact.key, new_deal.key}.isdisjoint({contact.key, deal.key})
    assert [replace(each, id=0) for each in behind] == [replace(each, id=0) for each in events]
    replaced = "replaced by a later snapshot"
    assert rows(outbox.path, DECIDED) == [
        [contact.key, "", None if place else replaced],
        [deal.key, "", replaced],
    ]


def test_an_order_that_is_mended_says_its_contact_as_a_later_order_knows_it(
    outbox: Outbox,
) -> None:
    tomorrow = PLACED.placed_at + timedelta(days=1)
    later = replace(numbered(PLACED, 1, JOHN.email), placed_at=tomorrow)
    later = replace(later, customer=replace(JOHN, last_name="Dow"))
    outbox.accept(ROUTE, FLOW, [PLACED])
    contact, deal, *_ = outbox.waiting(THERE)
    outbox.settle([*done([contact]), Outcome(deal, 1, "no")])
    outbox.accept(ROUTE, FLOW, [later])
    outbox.settle(done(outbox.waiting(THERE)))
    outbox.accept(ROUTE, FLOW, [CANCELLED])
    assert outbox.waiting(THERE)[0].call.body == contact.call.body | {"last_name": "Dow"}


def of_order(outbox: Outbox, order_id: str) -> list[Waiting]:
    return [each for each in outbox.waiting(THERE) if each.order_id == order_id]


def test_however_often_an_order_is_refused_and_changed_its_numbers_stay_small(
    outbox: Outbox,
) -> None:
    for n in range(100):
        outbox.accept(ROUTE, FLOW, [[PLACED, CANCELLED][n % 2]])
        deal = next(each for each in outbox.waiting(THERE) if each.kind == Kind.DEAL)
        outbox.settle([Outcome(deal, 1, "no")])
    outbox.accept(ROUTE, FLOW, [PLACED])
    assert outbox.waiting(THERE)[-1].id < 1_000
    assert outbox.counts(THERE).parked == 0


def test_parked_operations_wait_again_in_their_old_order(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED])
    waiting = outbox.waiting(THERE)
    outbox.settle([Outcome(waiting[0], 1, "no")])
    assert outbox.waiting(THERE) == []
    assert outbox.retry_parked("http://elsewhere") == 0
    assert outbox.retry_parked(THERE) == 4
    assert outbox.waiting(THERE) == waiting
    assert outbox.parked(THERE) == []


def test_of_parked_deals_the_first_says_it_all_when_they_wait_again(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [PLACED, CANCELLED])
    before = outbox.waiting(THERE)
    contact, deal, *events, change = before
    outbox.settle([Outcome(contact, 1, "no")])
    assert outbox.retry_parked(THERE) == 4
    waiting = outbox.waiting(THERE)
    assert [each.key for each in waiting] == [each.key for each in before[:-1]]
    assert waiting[1].call.body == deal.call.body | change.call.body
    assert waiting[2:] == events
    assert rows(outbox.path, DECIDED) == [[change.key, "", "replaced by one that says it all"]]


def test_of_two_contacts_of_an_order_each_says_its_own_when_they_wait_again(
    outbox: Outbox,
) -> None:
    moved = replace(PLACED, customer=Customer("ann@example.com"))
    outbox.accept(ROUTE, FLOW, [PLACED, moved])
    before = [each for each in outbox.waiting(THERE) if each.kind == Kind.CONTACT]
    outbox.settle([Outcome(before[0], 1, "no")])
    outbox.retry_parked(THERE)
    assert [each for each in outbox.waiting(THERE) if each.kind == Kind.CONTACT] == before


def test_one_deliverer_at_a_time(outbox: Outbox, tmp_path: Path) -> None:
    with Outbox(outbox.path) as other, outbox.delivering():
        with pytest.raises(DatabaseRefused), other.delivering():
            pass
        assert other.accept(ROUTE, FLOW, [PLACED]).changed == 1
    with outbox.delivering():
        pass


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    with Outbox(path):
        pass
    database = Sqlite(path)
    database.write(lambda tx: tx.run("PRAGMA user_version = 2"))
    database.close()
    with pytest.raises(DatabaseRefused, match="form 2"), Outbox(path):
        pass
    assert rows(path, "SELECT json_array(user_version) FROM pragma_user_version") == [2]


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    database = Sqlite(path)
    database.write(lambda tx: tx.run("CREATE TABLE deals (id INTEGER)"))
    database.close()
    with pytest.raises(DatabaseRefused, match="no outbox"), Outbox(path):
        pass
    assert rows(path, "SELECT json_group_array(name) FROM sqlite_schema") == ["deals"]


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk " * 100)
    with pytest.raises(DatabaseRefused), Outbox(path):
        pass
    assert path.read_text().startswith("remember the milk")


def test_it_is_all_there_after_closing_and_opening(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.accept(ROUTE, FLOW, [FULFILLED, BAD])
        waiting = outbox.waiting(THERE)
    with Outbox(path) as outbox:
        assert outbox.waiting(THERE) == waiting
        assert outbox.accept(ROUTE, FLOW, [FULFILLED]).unchanged == 1


class Recorder:
    """Takes statements down in place of carrying them out."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []

    def run(self, statement: str, **parameters: Any) -> None:
        self.taken.append((statement, parameters))

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        self.taken.append((query, parameters))
        return [[0]] if "changes()" in query else []

    def returning(self, statement: str, **parameters: Any) -> list[Any]:
        raise AssertionError("the outbox returns nothing from writes")


def test_no_statement_goes_through_a_whole_table(outbox: Outbox) -> None:
    outbox.accept(ROUTE, FLOW, [FULFILLED])
    operation = outbox.waiting(THERE)[0]
    recorder = Recorder()
    outbox_operations.waiting(recorder, THERE, "x", ["y"], 9)
    outbox_operations.settle(recorder, [Outcome(operation, 1, "no")], AT)
    outbox_operations.retry(recorder, THERE)
    outbox_operations.parked(recorder, THERE, 9)
    outbox_orders.known(recorder, ROUTE, ["O1"])
    outbox_orders.planned_orders(recorder, ROUTE, ["O1"])
    outbox_orders.planned_contacts(recorder, THERE, ["c"])
    outbox_orders.blocked(recorder, ROUTE, ["O1"])
    outbox_orders.replace_parked(recorder, ROUTE, ["O1"], AT)
    outbox_orders.release(recorder, ROUTE, ["O1"])
    assert len(recorder.taken) == 16
    connection = apsw.Connection(str(outbox.path))
    for statement, parameters in recorder.taken:
        bound = {
            name: json.dumps(value) if isinstance(value, list) else value
            for name, value in parameters.items()
        }
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bound)]
        scanned = [step for step in steps if step.startswith("SCAN")]
        tables = "operations", "snapshots", "contacts", "quarantine", " p", " s", " c"
        assert not [step for step in scanned if step.endswith(tables)], (statement, steps)
        assert not [step for step in steps if "sqlite_autoindex_operations_1" in step], steps
        if "ORDER BY lane, id" in statement:
            assert "USE TEMP B-TREE FOR ORDER BY" not in steps
    connection.close()


def test_what_arrives_is_told_apart_by_what_holds_in_the_end() -> None:
    found = arrivals.sort(arrivals.drafts([BAD, PLACED, numbered(BAD, 1)], FLOW), {}, FLOW)
    assert [each.order_id for each in found.news] == ["ORD-78523"]
    assert [order_id for order_id, _ in found.refused] == ["ORD-78523", "O1"]
    assert found.quarantine.keys() == {"O1"}
    assert found.released == {"ORD-78523"}


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_however_snapshots_are_listed_the_outbox_holds_what_comes_of_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ids = st.sampled_from(["O1", "O2", "O3"])
    snapshots = data.draw(st.lists(ids.flatmap(made_orders), min_size=1, max_size=8))
    cut = data.draw(st.integers(0, len(snapshots)))
    folder = tmp_path_factory.mktemp("outbox")
    with Outbox(folder / "one", lambda: AT) as one, Outbox(folder / "many", lambda: AT) as many:
        for order in snapshots:
            one.accept(ROUTE, FLOW, [order])
        for part in (snapshots[:cut], snapshots[cut:]):
            many.accept(ROUTE, FLOW, part)
        keys = {each.key for each in one.waiting(THERE)}
        assert keys == {each.key for each in many.waiting(THERE)}
        assert len(keys) == one.counts(THERE).accepted == many.counts(THERE).accepted
        assert many.accept(ROUTE, FLOW, list({o.id: o for o in snapshots}.values())).changed == 0


def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    path, log = tmp_path / "outbox.db", tmp_path / "sent.log"
    chance = random.Random(7)
    kills = 0
    for lines in (*(chance.randrange(1, 25) for _ in range(6)), 1_000):
        kills += not work_until(path, log, lines)
    with Outbox(tmp_path / "calm.db") as calm:
        for order in outbox_worker.ORDERS:
            calm.accept(outbox_worker.ROUTE, FLOW, [order])
        expected = Counter(each.key for each in calm.waiting(THERE))
    sent = Counter(log.read_text().splitlines())
    assert kills == 6
    assert sent.keys() == expected.keys()
    assert max(sent.values()) <= 1 + kills
    with Outbox(path) as outbox:
        assert outbox.counts(THERE) == Counts(expected.total(), 0, 0, 0)
        assert outbox.counts(THERE).done == len(expected)


def work_until(path: Path, log: Path, lines: int) -> bool:
    """Let a worker run until it has told so many lines, then kill it; True when it was done."""
    command = [sys.executable, outbox_worker.__file__, str(path), str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        for told, line in enumerate(worker.stdout, 1):
            if line == "finished\n":
                return True
            if told == lines:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
                return False
    raise AssertionError("the worker failed")
