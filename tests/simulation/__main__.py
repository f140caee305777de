"""`python -m simulation`: as many steps as wanted, or one seed with its latest steps."""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import count

from simulation.trace import Violation
from simulation.world import Ended, simulate

STEPS = 300_000
AHEAD = 2


@dataclass(frozen=True)
class Failed:
    """A seed that broke a promise, or that could not be run."""

    seed: int
    reason: str
    latest: str


def main(words: list[str] | None = None) -> int:
    """Run the simulation as asked; 1 when a promise was broken."""
    asked = _parser().parse_args(words)
    logging.getLogger("ordertrail").setLevel(logging.CRITICAL)
    if asked.seed is not None:
        return _one(asked.seed, asked.trace)
    began, steps, calls, orders, seeds = time.monotonic(), 0, 0, 0, 0
    failed: list[Failed] = []
    for ended in _many(asked.steps, asked.first, asked.processes):
        if isinstance(ended, Failed):
            failed.append(ended)
            print(f"seed {ended.seed} failed: {ended.reason}", flush=True)
            if not asked.keep_going:
                break
            continue
        seeds, steps = seeds + 1, steps + ended.steps
        calls, orders = calls + ended.calls, orders + ended.orders
    seconds = time.monotonic() - began
    print(
        f"{steps} steps, {seeds} seeds, {orders} orders, {calls} calls in {seconds:.1f} s:"
        f" {steps / seconds:.0f} steps/s, {len(failed)} failed"
    )
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help="run until so many were taken")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure")
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", type=int, default=60, help="how many latest steps to show")
    return parser


def _one(seed: int, shown: int) -> int:
    ended = _tried(seed)
    if isinstance(ended, Failed):
        lines = ended.latest.splitlines()[-shown:]
        print("\n".join([*lines, f"seed {seed} failed: {ended.reason}"]))
        return 1
    print(ended)
    return 0


def _many(steps: int, first: int, processes: int) -> Iterator[Ended | Failed]:
    """Run seed after seed, some at a time, until they have taken so many steps together."""
    seeds = count(first)
    taken = 0
    with ProcessPoolExecutor(processes) as pool:
        running = {pool.submit(_tried, next(seeds)) for _ in range(processes * AHEAD)}
        while running:
            done = next(as_completed(running))
            running.remove(done)
            ended = done.result()
            taken += ended.steps if isinstance(ended, Ended) else 0
            if taken < steps:
                running.add(pool.submit(_tried, next(seeds)))
            yield ended


def _tried(seed: int) -> Ended | Failed:
    try:
        return simulate(seed)
    except Violation as broken:
        return Failed(seed, str(broken), broken.latest)


if __name__ == "__main__":
    sys.exit(main())
