"""What holds of the outbox after any steps of shops that send, workers, and people who mend."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from order_histories import made_orders

from ordertrail.domain.order import Customer, Line, Order
from ordertrail.kit import json
from ordertrail.sync.lanes import Held
from ordertrail.sync.operations import Kind, Leased, Outcome, State
from ordertrail.sync.outbox import Filter, Lease, Outbox, open_outbox
from ordertrail.sync.outbox_orders import Route
from ordertrail.sync.rules import Flow

AT = datetime(2026, 5, 1, tzinfo=UTC)
THERE = "http://there"
ROUTE = Route("shop", THERE)
FLOW = Flow()
LEASE_S = 60
HOLDERS = (
    "SELECT lane FROM ordertrail_operations WHERE state = 'leased'"
    " GROUP BY lane HAVING count(DISTINCT lease) > 1"
)
CUSTOMERS = [
    Customer("ann@example.com", "7"),
    Customer("anna@example.com", "7"),
    Customer("bob@example.com"),
]
LAMP = Line("LAMP", 1, Decimal(9))
IDS = st.sampled_from(["O1", "O2", "O3"])
SNAPSHOTS = IDS.flatmap(made_orders)
WORKERS = st.sampled_from([0, 1])
VERSIONS_APART = 10

Place = Callable[[], contextlib.AbstractContextManager[str]]


class Laws(RuleBasedStateMachine):
    """An outbox, and beside it what was sent to it and what was delivered from it."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.opened = contextlib.ExitStack()
        self.at = AT
        where = self.opened.enter_context(place())
        self.outbox = self.opened.enter_context(open_outbox(where, lambda: self.at))
        self.leases = [self.join(), self.join()]
        self.held: list[list[Leased]] = [[], []]
        self.newest: dict[str, Order] = {}
        self.sent: dict[str, dict[int, Order]] = {}
        self.versions = 100
        self.accepted = self.pruned = 0
        self.has_parked = False
        self.deals: dict[str, dict[str, Any]] = {}
        self.events: set[str] = set()

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            self.opened.close()

    # ---- shops ----

    @rule(order=SNAPSHOTS, customer=st.sampled_from(CUSTOMERS))
    def send_a_newer_one(self, order: Order, customer: Customer) -> None:
        self.versions += VERSIONS_APART
        self.send(replace(order, customer=customer, version=self.versions))

    @rule(order=SNAPSHOTS, customer=st.sampled_from(CUSTOMERS), back=st.integers(1, 50))
    def send_one_that_comes_late(self, order: Order, customer: Customer, back: int) -> None:
        version = self.versions - back
        if version not in self.sent.get(order.id, {}) and version % VERSIONS_APART:
            self.send(replace(order, customer=customer, version=version))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_one_again(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.sent)))
        version = data.draw(st.sampled_from(sorted(self.sent[order_id])))
        self.send(self.sent[order_id][version])

    @rule(order=SNAPSHOTS)
    def send_one_that_cannot_be(self, order: Order) -> None:
        self.versions += VERSIONS_APART
        bad = replace(order, currency="???", version=self.versions)
        assert len(self.outbox.accept(ROUTE, FLOW, [bad]).refused) == 1

    # ---- workers ----

    @precondition(lambda self: self.newest)
    @rule(worker=WORKERS, limit=st.sampled_from([2, 5, 30]))
    def claim(self, worker: int, limit: int) -> None:
        claimed = self.outbox.claim(self.leases[worker], limit=limit)
        left = self.open_ids(State.WAITING)
        for lane, ids in by_lane(claimed).items():
            in_order = ids + left.get(lane, [])
            assert in_order == sorted(in_order)
        self.held[worker] += claimed

    @precondition(lambda self: self.newest)
    @rule(worker=WORKERS, limit=st.sampled_from([5, 30]), data=st.data())
    def work(self, worker: int, limit: int, data: st.DataObject) -> None:
        self.claim(worker, limit)
        for _ in range(data.draw(st.integers(1, 3))):
            if self.held[worker]:
                self.settle_of(worker, data)

    @precondition(lambda self: any(self.held))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        self.settle_of(data.draw(st.sampled_from([n for n in (0, 1) if self.held[n]])), data)

    def settle_of(self, worker: int, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(sorted(by_lane(self.held[worker]))))
        mine = [each for each in self.held[worker] if each.lane == lane]
        self.held[worker] = [each for each in self.held[worker] if each.lane != lane]
        outcomes: list[Outcome] = []
        for each in mine:
            if any(e.blocks_its_order and e.operation.order_id == each.order_id for e in outcomes):
                continue
            if outcomes and outcomes[-1].state is State.WAITING:
                doubt = each.is_unsure
                outcomes.append(Outcome(each, State.WAITING, each.attempts, is_unsure=doubt))
                continue
            outcomes.append(self.outcome(each, data))
        settled = self.outbox.settle(self.leases[worker], outcomes)
        assert settled.lost == len(outcomes) - len(settled.outcomes)
        self.has_parked |= any(each.state is State.PARKED for each in settled.outcomes)
        self.deliver([e.operation for e in settled.outcomes if e.state is State.DONE])

    @precondition(lambda self: any(self.held))
    @rule(worker=WORKERS)
    def leave_and_join(self, worker: int) -> None:
        self.outbox.leave(self.leases[worker])
        self.held[worker] = []
        self.leases[worker] = self.join()

    @rule(seconds=st.sampled_from([1, LEASE_S // 2, LEASE_S + 1]), beats=st.sets(WORKERS))
    def let_time_pass(self, seconds: int, beats: set[int]) -> None:
        self.at += timedelta(seconds=seconds)
        for worker in beats:
            if not self.outbox.heartbeat(self.leases[worker]):
                self.held[worker] = []
                self.leases[worker] = self.join()

    # ---- people ----

    @precondition(lambda self: self.has_parked)
    @rule(order_id=st.none() | IDS)
    def retry(self, order_id: str | None) -> None:
        parked = sum(map(len, self.open_ids(State.PARKED, order_id).values()))
        assert self.outbox.retry(THERE, Filter(order_id=order_id)) == parked

    @precondition(lambda self: self.has_parked)
    @rule(order_id=IDS)
    def edit(self, order_id: str) -> None:
        found = self.outbox.listed(THERE, Filter(states=(State.PARKED,), order_id=order_id))
        if found:
            self.outbox.edit(THERE, found[0].id, {**found[0].call.body, "edited": 1})

    @precondition(lambda self: self.newest)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.newest)))
        before = self.outbox.counts(THERE).accepted
        said = self.outbox.replay(ROUTE, FLOW, [order_id])
        added = self.outbox.counts(THERE).accepted - before
        assert 0 <= added <= said
        self.accepted += added

    @precondition(lambda self: self.newest)
    @rule()
    def prune(self) -> None:
        self.pruned += self.outbox.prune(self.at)

    # ---- what holds ----

    @invariant()
    def counts_add_up_to_what_was_accepted(self) -> None:
        counts = self.outbox.counts(THERE)
        states = Counter(each.state for each in self.outbox.listed(THERE, Filter()))
        assert counts.accepted == self.accepted
        assert (counts.waiting, counts.leased, counts.parked, counts.done - self.pruned) == tuple(
            states[each] for each in (State.WAITING, State.LEASED, State.PARKED, State.DONE)
        )

    @invariant()
    def no_lane_has_two_holders(self) -> None:
        assert self.outbox._database.read(lambda reader: reader.fetch(HOLDERS)) == []

    @invariant()
    def keys_of_open_operations_are_unique(self) -> None:
        states = (State.WAITING, State.LEASED, State.PARKED)
        keys = Counter(each.key for each in self.outbox.listed(THERE, Filter(states=states)))
        assert set(keys.values()) <= {1}

    def drain(self) -> None:
        """Let everything be done; then all was said that the newest snapshots say."""
        for worker in (0, 1):
            self.leave_and_join(worker)
        self.at += timedelta(days=1)
        self.outbox.retry(THERE, Filter())
        lease = self.join()
        while claimed := self.outbox.claim(lease, limit=20):
            kept = self.outbox.settle(lease, [Outcome(e, State.DONE, 1) for e in claimed])
            assert kept.lost == 0
            self.deliver(claimed)
        self.outbox.leave(lease)
        counts = self.outbox.counts(THERE)
        assert counts.done == counts.accepted
        with calm() as outbox:
            outbox.accept(ROUTE, FLOW, list(self.newest.values()))
            wanted = outbox.claim(outbox.join(THERE, "calm"))
        for each in wanted:
            if each.kind is Kind.DEAL:
                said = self.deals[each.order_id]
                body = {**each.call.body, "user_custom_id": said["user_custom_id"]}
                assert {name: said.get(name) for name in body} == body
            elif each.kind.is_event:
                assert each.key in self.events

    # ---- how it is done ----

    def join(self) -> Lease:
        return self.outbox.join(THERE, "works", LEASE_S)

    def send(self, order: Order) -> None:
        assert order.version is not None
        accepted = self.outbox.accept(ROUTE, FLOW, [order])
        self.accepted += accepted.operations.total()
        self.sent.setdefault(order.id, {})[order.version] = order
        newest = self.newest.get(order.id)
        if newest is None or (newest.version or 0) < order.version:
            self.newest[order.id] = order
            assert accepted.older == 0
        assert not accepted.refused

    def open_ids(self, state: State, order_id: str | None = None) -> dict[str, list[int]]:
        return by_lane(self.outbox.listed(THERE, Filter(states=(state,), order_id=order_id)))

    def outcome(self, leased: Leased, data: st.DataObject) -> Outcome:
        state = data.draw(st.sampled_from([State.DONE, State.PARKED, State.WAITING]))
        attempts = leased.attempts + 1
        if state is not State.WAITING:
            reason = None if state is State.DONE else "no"
            return Outcome(leased, state, attempts, reason, is_unsure=leased.is_unsure)
        due = self.at + timedelta(seconds=data.draw(st.integers(1, 90)))
        is_unsure = leased.is_unsure or data.draw(st.booleans())
        return Outcome(leased, state, attempts, "away", due, is_unsure, self.at)

    def deliver(self, done: list[Leased]) -> None:
        for each in done:
            if each.kind is Kind.DEAL:
                self.deals.setdefault(each.order_id, {}).update(json.loads(each.body))
            elif each.kind.is_event:
                assert each.is_unsure or each.key not in self.events, "an event counts twice"
                self.events.add(each.key)


def by_lane(operations: Any) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for each in operations:
        found.setdefault(each.lane, []).append(each.id)
    return found


@contextlib.contextmanager
def calm() -> Iterator[Outbox]:
    with new_file() as where, open_outbox(where) as outbox:
        yield outbox


@contextlib.contextmanager
def new_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "the.outbox")


def run(place: Place, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Laws(place),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_is_parked_in_doubt_is_in_doubt_when_it_is_tried_again() -> None:
    with calm() as outbox:
        outbox.accept(ROUTE, FLOW, [Order("O1", CUSTOMERS[0], AT, "USD", (LAMP,))])
        lease = outbox.join(THERE, "works")
        event = next(each for each in outbox.claim(lease) if each.kind.is_event)
        held = Held.of(event)
        held.is_unsure = True
        outbox.settle(lease, [held.parked("no answer")])
        outbox.leave(lease)
        assert outbox.retry(THERE, Filter()) == 1
        again = {each.key: each for each in outbox.claim(outbox.join(THERE, "works"))}
        assert again[event.key].is_unsure


def test_the_laws_hold_on_sqlite() -> None:
    run(new_file, 25, 25)


def test_the_laws_hold_on_postgres(postgres: Any) -> None:
    url = postgres.new_database()

    @contextlib.contextmanager
    def emptied() -> Iterator[str]:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        yield url

    run(emptied, 5, 25)
