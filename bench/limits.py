"""What PostgreSQL itself does with the same rows: a plain schema, batches, and bulk loading."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.orders import deal
from bench.postgres import Postgres

CLIENT_KEYS = 100_000_000
TABLES = """
CREATE TABLE contacts (id bigint PRIMARY KEY, custom_id text NOT NULL UNIQUE);
CREATE TABLE products (id bigint PRIMARY KEY, custom_id text NOT NULL UNIQUE);
CREATE TABLE deals (id bigint PRIMARY KEY, custom_id text NOT NULL UNIQUE, name text NOT NULL,
    contact_id bigint REFERENCES contacts, stage integer NOT NULL, status integer NOT NULL,
    value_minor bigint NOT NULL, currency text NOT NULL, attributes jsonb NOT NULL,
    created_at bigint NOT NULL, updated_at bigint NOT NULL);
CREATE INDEX deals_contact ON deals (contact_id, id);
CREATE INDEX deals_stage ON deals (stage, id);
CREATE TABLE lines (deal_id bigint NOT NULL REFERENCES deals, position integer NOT NULL,
    product_id bigint NOT NULL REFERENCES products, product_custom_id text NOT NULL,
    quantity bigint NOT NULL, price_micros bigint NOT NULL, currency text NOT NULL,
    PRIMARY KEY (deal_id, position));
CREATE INDEX lines_product ON lines (product_id, deal_id);
CREATE TABLE journal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL,
    subject text NOT NULL, subject_id bigint NOT NULL, contact_id bigint, is_new boolean NOT NULL,
    changes jsonb NOT NULL, author text NOT NULL);
CREATE INDEX journal_subject ON journal (subject, subject_id, id);
CREATE INDEX journal_contact ON journal (contact_id, at, id);
INSERT INTO contacts SELECT n + 1, 'user-' || n FROM generate_series(0, 999) n;
INSERT INTO products SELECT n + 1, 'SKU-' || n FROM generate_series(0, 499) n;
"""
"""What Ordertrail keeps of a deal, for one tenant."""

UPSERT = f"""
\\set turn :turn + 1
\\set new :client_id * {CLIENT_KEYS} + :turn * (:size - :known)
\\set first :new - :known
\\set last :new + :size - :known - 1
BEGIN;
WITH said AS MATERIALIZED (SELECT array_agg(n) AS ids, array_agg('ORD-' || n) AS keys
    FROM generate_series(:first::bigint, :last::bigint) n)
INSERT INTO deals SELECT i, k, 'Order #' || i, 1 + abs(i) % 1000, 1 + (i < :new::bigint)::int,
    1 + (i < :new::bigint)::int, 2490, 'USD', '{{"delivery_cost": 9.99}}', :turn::bigint,
    :turn::bigint
FROM said, unnest(said.ids, said.keys) AS sent (i, k)
ON CONFLICT (custom_id) DO UPDATE SET name = excluded.name, stage = excluded.stage,
    status = excluded.status, value_minor = excluded.value_minor,
    attributes = excluded.attributes, updated_at = excluded.updated_at;
DELETE FROM lines WHERE deal_id BETWEEN :first::bigint AND :last::bigint;
INSERT INTO lines SELECT i, p, 1 + (abs(i) + 7 * p) % 500, 'SKU-' || (abs(i) + 7 * p) % 500, 1,
    19900000, 'USD'
FROM generate_series(:first::bigint, :last::bigint) i, generate_series(0, 1) p;
INSERT INTO journal (at, subject, subject_id, contact_id, is_new, changes, author)
SELECT :turn::bigint, 'deal', i, 1 + abs(i) % 1000, i >= :new::bigint,
    '{{"stage": [1, 2], "status": [1, 2], "value": [null, "24.90"]}}', 'key:1'
FROM generate_series(:first::bigint, :last::bigint) i;
COMMIT;
"""
"""A batch of `size` deals, of which `known` are there already, as `pgbench` plays it.

Each client has keys of its own, so that no two wait for the same row."""

STAGING = """
CREATE TEMPORARY TABLE sent (id bigint, custom_id text, name text, contact_id bigint, stage integer,
    status integer, value_minor bigint, currency text, attributes jsonb)
    ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE sent_lines (deal_id bigint, position integer, product_custom_id text,
    quantity bigint, price_micros bigint, currency text)
    ON COMMIT DELETE ROWS;
"""
_MERGE = (
    """INSERT INTO deals SELECT *, 1, 1 FROM sent ON CONFLICT (custom_id) DO UPDATE SET
    name = excluded.name, stage = excluded.stage, status = excluded.status,
    value_minor = excluded.value_minor, attributes = excluded.attributes,
    updated_at = excluded.updated_at""",
    "DELETE FROM lines USING sent WHERE lines.deal_id = sent.id",
    """INSERT INTO lines SELECT s.deal_id, s.position, p.id, p.custom_id, s.quantity,
    s.price_micros, s.currency
    FROM sent_lines s JOIN products p ON p.custom_id = s.product_custom_id""",
    """INSERT INTO journal (at, subject, subject_id, contact_id, is_new, changes, author)
    SELECT 1, 'deal', id, contact_id, true, jsonb_build_object('stage',
    jsonb_build_array(null, stage), 'value', jsonb_build_array(null, value_minor)), 'key:1'
    FROM sent""",
)


@dataclass
class PgBench:
    """Batches of deals from `pgbench`."""

    postgres: Postgres
    url: str
    turn: int = field(default=0)

    def deals_per_s(self, size: float, seconds: float) -> float:
        """Return how many deals a second are upserted in such batches, half of them new."""
        whole = max(round(size), 1)
        self.turn += 1_000_000
        variables = {"size": whole, "known": whole // 2, "turn": self.turn // whole}
        return whole * self.postgres.pgbench(self.url, UPSERT, seconds, **variables)


@dataclass(frozen=True)
class Rows:
    """Deals and their lines as rows of the staging tables."""

    deals: Sequence[tuple[object, ...]]
    lines: Sequence[tuple[object, ...]]


def rows_of(numbers: Iterable[int]) -> Rows:
    """Return the rows of new orders."""
    said = [(number, deal(number, 1)) for number in numbers]
    lines = [
        (number, place, line["product_custom_id"], 1, int(line["value"] * 1_000_000), "USD")
        for number, each in said
        for place, line in enumerate(each["order_products"])
    ]
    return Rows([_deal_row(number, each) for number, each in said], lines)


def copied(connection: psycopg.Connection, rows: Rows) -> None:
    """COPY new deals into staging tables, and merge them in the same transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        for table, values in (("sent", rows.deals), ("sent_lines", rows.lines)):
            with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for row in values:
                    copy.write_row(row)
        for statement in _MERGE:
            cursor.execute(statement.encode())


def _deal_row(number: int, said: Mapping[str, Any]) -> tuple[object, ...]:
    attributes = json.dumps({"delivery_cost": said["delivery_cost"]})
    value = round(said["value"] * 100)
    named = (number, said["custom_id"], said["name"], 1 + number % 1000)
    return (*named, said["stage"], said["status"], value, "USD", attributes)
