"""The commands of the sync with an outbox on PostgreSQL, whose password nobody gets to see."""

from dataclasses import dataclass

import pytest
from ran import Ran, Shop, order, run

from postgres_server import Server


@dataclass(frozen=True)
class Elsewhere:
    """A shop whose outbox is on PostgreSQL."""

    shop: Shop
    url: str

    def run(self, command: str, *words: str) -> Ran:
        platform = self.shop.platform
        there = ["--to", platform.url, "--token", platform.token]
        ran = self.look(command, *words, *there)
        assert platform.token not in ran.out + ran.err
        return ran

    def look(self, command: str, *words: str) -> Ran:
        ran = run(*command.split(), *words, "--outbox", self.url)
        assert "hunter2" not in ran.out + ran.err
        return ran


@pytest.fixture
def elsewhere(shop: Shop, postgres: Server) -> Elsewhere:
    return Elsewhere(shop, postgres.new_database().replace("postgres@", "postgres:hunter2@"))


def test_the_way_of_a_file_is_the_same(elsewhere: Elsewhere) -> None:
    file = elsewhere.shop.file(*(order(n) for n in range(4)))
    dry = elsewhere.look("sync", file, "--dry-run", "--json")
    assert (dry.code, dry.json["changed"]) == (0, 4)
    assert "0 destinations" in elsewhere.look("outbox status").out
    assert elsewhere.run("sync", file, "--json").json["changed"] == 4
    assert elsewhere.run("sync", file, "--json").json["unchanged"] == 4
    dry = elsewhere.look("sync", file, "--dry-run", "--json")
    assert (dry.json["changed"], dry.json["worth_before"]) == (0, {"GBP": "128.00"})
    assert elsewhere.run("verify").out == "4 orders: 0 differ\n"
    assert elsewhere.run("verify", file).out == "4 orders: 0 differ\n"
    shown = elsewhere.look("outbox status").out
    assert "postgresql://postgres:***@127.0.0.1" in shown
    assert "27 calls accepted = 27 done" in shown
    assert elsewhere.look("outbox show", "ORD-1").code == 0
    assert elsewhere.look("outbox replay", "--order", "ORD-1").code == 0
    assert len(elsewhere.look("outbox list", "--json").lines) == 7
    assert elsewhere.run("outbox deliver", "--once").code == 0


def test_a_database_that_is_not_there_is_said_without_its_password(elsewhere: Elsewhere) -> None:
    away = Elsewhere(elsewhere.shop, "postgresql://shop:hunter2@127.0.0.1:1/shop")
    for command in ("outbox status", "outbox list"):
        ran = away.look(command)
        assert ran.code == 75
        assert ran.err.startswith("ordertrail: ")
    assert away.run("sync", elsewhere.shop.file(order(1))).code == 75
