"""The sync keeps its promises through everything, and the simulation notices when it does not."""

import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ordertrail.client.answers import Answer
from ordertrail.client.exchange import Exchange, Request
from ordertrail.domain.order import Order
from ordertrail.sync.outbox import Lease, Outbox
from simulation.endpoint import HOSTED, WITHOUT_BATCHES, Kind
from simulation.parts import LIMITS, Parts
from simulation.trace import Violation
from simulation.world import simulate

STEPS = 300_000
SECONDS_MAX = 100.0
TESTS = Path(__file__).parent.parent
SEEDS_MAX = 60
EMPTY_PAGE = b'{"count": 0, "next": null, "previous": null, "results": []}'


def simulation(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the simulation in processes of its own."""
    return subprocess.run(
        [sys.executable, "-m", "simulation", *words],
        env={**os.environ, "PYTHONPATH": str(TESTS), **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def test_every_promise_is_kept_for_as_many_steps_as_the_suite_has_time_for() -> None:
    ended = simulation("--steps", str(STEPS))
    assert ended.returncode == 0, ended.stdout
    told = re.match(r"(\d+) steps, (\d+) seeds", ended.stdout.splitlines()[-1])
    assert told is not None
    assert int(told[1]) >= STEPS


def test_a_seed_is_one_history_whatever_the_order_of_hashes() -> None:
    told = {
        re.sub(r".*digest=", "", simulation("--seed", "11", PYTHONHASHSEED=seed).stdout)
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert simulate(11).digest in told.pop()


def changing_keys(exchange: Exchange) -> Exchange:
    """Operation keys that are new with every attempt."""
    attempts = itertools.count()

    async def changed(request: Request) -> Answer:
        headers = dict(request.headers)
        if key := headers.get("Idempotency-Key"):
            headers["Idempotency-Key"] = f"{key}-{next(attempts)}"
        return await exchange(replace(request, headers=headers))

    return changed


def blind(exchange: Exchange) -> Exchange:
    """A look at the timeline that sees nothing."""

    async def changed(request: Request) -> Answer:
        answer = await exchange(request)
        if request.method == "GET" and "/users-by-id/" in request.url and answer.is_good:
            is_list = request.url.partition("?")[0].endswith("events/")
            return Answer(200, EMPTY_PAGE) if is_list else answer
        return answer

    return changed


def lying(exchange: Exchange) -> Exchange:
    """A destination that now and then says yes and does nothing."""
    numbers = itertools.count(1)

    async def changed(request: Request) -> Answer:
        if request.method == "POST" and next(numbers) % 20 == 0:
            return Answer(200, b'{"id": 1}')
        return await exchange(request)

    return changed


def without_rank(order: Order) -> Order:
    """Snapshots that do not say which of them is newer."""
    return replace(order, version=None, updated_at=None)


HASTY = Parts(timeout_s=0.0, limits=replace(LIMITS, lease_s=9.0))
"""Workers that believe that what was sent has arrived, and lose their short leases all the time."""


class Forgetful(Outbox):
    """An outbox that never tells that an operation may have been carried out already."""

    def claim(self, lease: Lease, **which: object) -> list[object]:  # type: ignore[override]
        return [replace(each, is_unsure=False) for each in super().claim(lease, **which)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "kind", "noticed"),
    [
        (Parts(exchange=changing_keys), WITHOUT_BATCHES, "an event is there twice"),
        (Parts(exchange=blind), HOSTED, "an event is there twice"),
        (
            Parts(exchange=lying),
            WITHOUT_BATCHES,
            "not there|missing|not as the newest|should be of",
        ),
        (
            Parts(snapshot=without_rank),
            WITHOUT_BATCHES,
            "not as the newest|quarantine",
        ),
        (Parts(outbox=Forgetful), HOSTED, "an event is there twice"),
        (HASTY, HOSTED, "an event is there twice"),
    ],
    ids=["keys", "timeline", "lies", "ranks", "doubt", "haste"],
)
def test_a_broken_part_is_noticed(broken: Parts, kind: Kind, noticed: str) -> None:
    violation = first_violation(broken, kind)
    assert violation is not None, f"{SEEDS_MAX} seeds saw nothing wrong"
    assert re.search(noticed, str(violation)), str(violation)
    assert re.search(r"make simulate SEED=\d+", str(violation))
    assert violation.latest


def first_violation(broken: Parts, kind: Kind) -> Violation | None:
    for seed in range(1, SEEDS_MAX):
        try:
            simulate(seed, made_of=broken, kind=kind)
        except Violation as violation:
            return violation
    return None
