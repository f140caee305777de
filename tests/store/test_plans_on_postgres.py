"""Hot look-ups use their index on PostgreSQL too: in a young database, and in a filled one."""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from test_query_plans import HOT, OF_WHOLE_WORKSPACES

from ordertrail.actions import deals
from ordertrail.domain.deal import DealChange, SentLine
from ordertrail.domain.journal import Author
from ordertrail.kit import clock
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Dialect
from ordertrail.kit.postgres import Postgres
from ordertrail.kit.wording import worded
from ordertrail.store import journal, requests
from postgres_server import Server

TEXTS = frozenset(
    "hash author origin changes subject content_type name networks email scope uid".split()
)
"""Parameters that are text; all others are numbers, or lists as JSON."""

ROWS = 20_000
FILL = """
INSERT INTO workspaces SELECT 2, '', '', 'EUR', 'UTC', 0;
INSERT INTO stages SELECT w, g, g, g, g, g FROM each_row;
INSERT INTO contacts SELECT w, g, g, g, g, g, '{}', '{}', g, g, g FROM each_row;
INSERT INTO products SELECT w, g, g, '{}', '{}', g, g, g FROM each_row;
INSERT INTO deals SELECT w, g, g, g, g, g, g, 0, g, 'EUR', g, g, '{}', '{}', g, g FROM each_row;
INSERT INTO order_products SELECT w, g, 1, g, g, 1, g, 'EUR' FROM each_row;
INSERT INTO deal_products SELECT w, g, g FROM each_row;
INSERT INTO product_events SELECT w, g, g, g, 'e', g, '{}', 'live', g, g FROM each_row;
INSERT INTO event_types SELECT w, g, g, g, g FROM each_row;
INSERT INTO events SELECT w, g, g, g, g, '{}', 'live', g, g FROM each_row;
INSERT INTO journal SELECT w, g, g, 'deal', g, g, 0, '{"stage": [1, 2]}', 'key:1', 'live' FROM each_row;
INSERT INTO attributes SELECT w, g, 'kind' || g % 4, g, 'text', 0 FROM each_row;
INSERT INTO tags SELECT w, g, g, g FROM each_row;
INSERT INTO taggings SELECT w, 'deal', g, g FROM each_row;
INSERT INTO lists SELECT w, g, g, g FROM each_row;
INSERT INTO list_members SELECT w, g, g FROM each_row;
INSERT INTO companies SELECT w, g, g, g, '{}', '{}', g, g FROM each_row;
INSERT INTO company_members SELECT w, g, g, g FROM each_row;
INSERT INTO keys SELECT w, g, g, w || ':' || g, 'both', 0, '[]', g FROM each_row;
"""  # noqa: E501
OF_OLD_ONES = {
    "one deal by id": "a read takes a small table for as small as it is",
    "one deal by custom id": "a read takes a small table for as small as it is",
    "statement 5 of merging contacts": "nothing is known of the parts of the journal at first",
    "statement 5 of deleting contacts": "nothing is known of the parts of the journal at first",
}
"""What need not use its index before the first statistics were made, and why."""

WRITTEN = {
    **{what: statement for what, (statement, _) in HOT.items()},
    "trimming the log of requests": requests._REMOVE,
    "counting a contact's timeline": journal._COUNT_OF_CONTACT,
}


@pytest.fixture(scope="module")
def young(postgres: Server) -> Iterator[Postgres]:
    """A database with a few rows, of which nothing is known."""
    with postgres.platform() as url:
        fill(url, 5)
        database = Postgres(url)
        yield database
        database.close()


@pytest.fixture(scope="module")
def filled(postgres: Server) -> Iterator[Postgres]:
    with postgres.platform() as url:
        fill(url, ROWS)
        with psycopg.connect(url) as connection:
            connection.execute("ANALYZE")
        database = Postgres(url)
        yield database
        database.close()


def fill(url: str, rows: int) -> None:
    each = f"(SELECT w, g FROM generate_series(1, 2) w, generate_series(1, {rows}) g) r"
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM stages")
        connection.execute(FILL.replace("each_row", each))  # type: ignore[arg-type]


def plan(database: Postgres, statement: str) -> list[dict[str, Any]]:
    """The steps of the plan that is kept with a statement, when it is run in a write."""
    text = worded(statement, Dialect.POSTGRES)
    names = list(dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_][a-z_0-9]*)", text)))
    texts = TEXTS | set(re.findall(r"(?:CAST\(|custom_id = ):(\w+)", text))
    types = ["unknown" if name in texts else "bigint" for name in names]
    for place, name in enumerate(names, 1):
        text = re.sub(rf"(?<![:\w]):{name}\b", f"${place}", text)
    told = f"({', '.join(types)})" if names else ""
    given = f"({', '.join(['NULL'] * len(names))})" if names else ""

    def explain(tx: Any) -> Any:
        tx.run(f"PREPARE hot{told} AS {text}")
        [(found,)] = tx.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE hot{given}")
        tx.run("DEALLOCATE hot")
        return json.loads(found) if isinstance(found, str) else found

    return list(steps(database.write(explain)[0]["Plan"]))


def steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from steps(below)


def is_empty(step: dict[str, Any]) -> bool:
    """Whether a step is about a month in which nothing happened."""
    return step["Relation Name"].startswith(("journal_2", "requests_2"))


def scans(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        step
        for step in found
        if "Relation Name" in step and step["Node Type"] != "ModifyTable" and not is_empty(step)
    ]


@pytest.mark.parametrize("what", WRITTEN)
@pytest.mark.parametrize("where", ["young", "filled"])
def test_a_hot_look_up_uses_its_index_on_postgresql(
    request: pytest.FixtureRequest, where: str, what: str
) -> None:
    if where == "young" and what in OF_OLD_ONES:
        pytest.skip(OF_OLD_ONES[what])
    found = plan(request.getfixturevalue(where), WRITTEN[what])
    kinds = {step["Node Type"] for step in found}
    assert not kinds & {"Seq Scan", "Hash Join", "Merge Join", "Bitmap Heap Scan"}, [
        s for s in found if "Relation Name" in s
    ]
    for step in scans(found):
        bound = set(re.findall(r"\((?:\w+\.)?\"?(\w+)\"? (?:=|<|>)", step.get("Index Cond", "")))
        if what not in OF_WHOLE_WORKSPACES:
            assert "workspace_id" in bound, step
            assert len(bound) > 1 or "ROW(" in step["Index Cond"], step


READ = (
    "SELECT CAST(sum(coalesce(seq_tup_read, 0)) AS bigint) + (SELECT CAST(sum(idx_tup_read) AS"
    " bigint) FROM pg_stat_user_indexes WHERE relname IN ('deals', 'order_products', 'products'))"
    " FROM pg_stat_user_tables WHERE relname IN ('deals', 'order_products', 'products')"
)
"""How many rows and index entries were read to find some."""


def test_a_fresh_database_gets_no_slower_while_nothing_is_known_of_its_rows(
    postgres: Server,
) -> None:
    with postgres.platform() as url, psycopg.connect(url, autocommit=True) as connection:
        database = Postgres(url)
        for table in ("deals", "order_products", "products"):
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")  # type: ignore[arg-type]
        for price in (1, 2):
            for start in range(0, 2_000, 100):
                upsert(database, range(start, start + 100), price)
        database.write(lambda tx: tx.fetch("SELECT pg_stat_force_next_flush()"))
        assert connection.execute(READ).fetchone()[0] < 10 * 4_000  # type: ignore[index]
        database.close()


def upsert(database: Postgres, numbers: range, price: int) -> None:
    sent = [
        DealChange(f"D{n}", lines=(SentLine(1, price, product_custom_id=f"P{n % 50}"),))
        for n in numbers
    ]
    batch = Batch(1, clock.utc_now(), [deals.Upsert(each, Author("test")) for each in sent])
    for outcome in database.write(lambda tx: deals.upsert(tx, batch)):
        assert not isinstance(outcome, Exception), outcome
