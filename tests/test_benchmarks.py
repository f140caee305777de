"""Benchmarks are measured in turn, kept, and shown as they were kept."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench import page
from bench.harness import Case, Contender, Figure, run

FIGURES = {"per_s": Figure("in all", "deals/s", at_least=4_000), "p99_ms": Figure("worst", "ms")}


def case(told: list[str]) -> Case:
    """A case of two, of whom the first is twice as fast in its first round and no more after it."""
    values = {"ours": iter((200.0, 100.0, 101.0)), "peer": iter((50.0, 49.0, 51.0))}

    def measure(name: str) -> dict[str, float]:
        told.append(name)
        return {"per_s": next(values[name])}

    @contextmanager
    def contenders(_seconds: float) -> Iterator[Sequence[Contender]]:
        yield (
            Contender("ours", lambda: measure("ours")),
            Contender("peer", lambda: measure("peer"), beside="ours"),
        )

    return Case(FIGURES, contenders)


def test_the_page_shows_the_kept_results() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "run python -m bench --write-docs"


def test_all_that_is_kept_is_on_the_page() -> None:
    assert {path.stem for path in page.RESULTS.glob("*.json")} <= set(page.CASES)


def test_contenders_are_compared_with_contenders_of_the_same_run() -> None:
    for name, found in page.results().items():
        names = {each["name"] for each in found["contenders"]}
        assert {each["beside"] for each in found["contenders"]} <= names | {""}, name


def test_contenders_take_turns() -> None:
    told: list[str] = []
    run(case(told), 1.0, None, lambda _: None)
    assert told == ["ours", "peer"] * 3


def test_the_median_and_the_spread_of_the_rounds_are_kept() -> None:
    found = run(case([]), 1.0, None, lambda _: None)
    assert found["contenders"][0]["figures"] == {
        "per_s": {"median": 101.0, "min": 100.0, "max": 200.0, "rounds": [200.0, 100.0, 101.0]}
    }


def test_a_table_tells_how_a_peer_was_to_ours_in_the_same_round_and_the_goal_of_ours() -> None:
    found = run(case([]), 1.0, 2, lambda _: None)
    assert page.table(found)[2:] == [
        "| in all, deals/s | ours | 150 | 100 to 200 |  | at least 4,000 |",
        "|  | peer | 49.5 | 49 to 50 | 0.37 |  |",
    ]
