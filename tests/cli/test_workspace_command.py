"""The settings of the workspace on the command line, in a real database file."""

from pathlib import Path

import pytest
from ran import Ran, run

FRESH = {"name": "Main", "currency": "USD", "time_zone": "UTC", "strict": False}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of a database that is there."""
    address = f"sqlite:///{tmp_path}/platform.db"
    assert run("keys", "create", "--name", "x", "--database", address).code == 0
    return address


def workspace(database: str, *words: str) -> Ran:
    return run("workspace", *words, "--database", database)


def test_settings_are_shown_to_people_and_to_programs(database: str) -> None:
    assert workspace(database, "show", "--json").json == FRESH
    rows = [line.split() for line in workspace(database, "show").out.splitlines()]
    assert rows == [["name", "Main"], ["currency", "USD"], ["time_zone", "UTC"], ["strict", "no"]]


def test_what_is_named_is_changed_and_the_rest_stays(database: str) -> None:
    changed = workspace(database, "set", "--currency", "eur", "--strict", "--json").json
    assert changed == {**FRESH, "currency": "EUR", "strict": True}
    zone = workspace(database, "set", "--time-zone", "Europe/Warsaw", "--name", " Shop ", "--json")
    assert zone.json == {**changed, "time_zone": "Europe/Warsaw", "name": "Shop"}
    assert workspace(database, "set", "--no-strict", "--json").json["strict"] is False
    assert workspace(database, "show", "--json").json == {**zone.json, "strict": False}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--currency", "XXQ"], "currency"),
        (["--time-zone", "Mars/Olympus"], "time_zone"),
        (["--time-zone", "../../etc/passwd"], "time_zone"),
        (["--time-zone", "Europe"], "time_zone"),
        (["--name", " "], "name"),
        (["--name", "x" * 101], "name"),
        (["--currency", "EUR", "--name", ""], "name"),
        ([], "say what to change"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    database: str, words: list[str], reason: str
) -> None:
    refused = workspace(database, "set", *words)
    assert refused.code == 2
    assert reason in refused.err
    assert workspace(database, "show", "--json").json == FRESH


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for words in (["show"], ["set", "--strict"]):
        assert workspace(f"sqlite:///{tmp_path}/none.db", *words).code == 2
    assert not (tmp_path / "none.db").exists()
