"""Ordertrail's own tables with many deals in them, written behind the server's back.

What is written is what the server would have written: deals with two lines, of a contact each, and
the journal's entry of it. Nobody waits for these rows, so they are written much faster than sent.
"""

from functools import partial
from pathlib import Path

from ordertrail.kit.database import Tx
from ordertrail.kit.sqlite import Sqlite

PRODUCTS = 500
DEALS_PER_CONTACT = 10
AT_ONCE = 100_000
AT = 1_700_000_000_000_000

_N = "WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) "
_CONTACTS = f"""
INSERT INTO contacts (workspace_id, id, custom_id, user_key, email, email_folded, profile,
    attributes, created_at, updated_at)
{_N} SELECT 1, i, 'user-' || (i - 1), printf('key%010d', i), 'c' || i || '@example.com',
    'c' || i || '@example.com', '{{}}', '{{}}', {AT} + i, {AT} + i FROM n
"""
_PRODUCTS = f"""
INSERT INTO products (workspace_id, id, custom_id, details, attributes, created_at, updated_at)
{_N} SELECT 1, i, 'SKU-' || (i - 1), '{{}}', '{{}}', {AT}, {AT} FROM n
"""
_DEALS = f"""
INSERT INTO deals (workspace_id, id, custom_id, name, contact_id, pipeline_id, stage_id, status,
    value_minor, currency, details, attributes, created_at, updated_at)
{_N} SELECT 1, i, 'ORD-' || i, 'Order #' || i, 1 + i % :contacts, 1, 1 + i % 3, 1 + i % 2,
    2490, 'USD', '{{}}', '{{"delivery_cost": 9.99}}', {AT} + i, {AT} + i FROM n
"""
_LINES = f"""
INSERT INTO order_products (workspace_id, deal_id, position, product_id, product_custom_id,
    quantity, price_micros, currency)
{_N} SELECT 1, i, p.value, 1 + (i + 7 * p.value) % {PRODUCTS},
    'SKU-' || ((i + 7 * p.value) % {PRODUCTS}), 1, 19900000, 'USD' FROM n, json_each('[0,1]') p
"""
_JOURNAL = f"""
INSERT INTO journal (workspace_id, id, at, subject, subject_id, contact_id, is_new, changes, author,
    origin)
{_N} SELECT 1, i, {AT} + i, 'deal', i, 1 + i % :contacts, 1, json_object(
    'custom_id', json_array(null, 'ORD-' || i), 'name', json_array(null, 'Order #' || i),
    'user_id', json_array(null, 1 + i % :contacts), 'stage', json_array(null, 1 + i % 3),
    'status', json_array(null, 1 + i % 2), 'value', json_array(null, '24.90'),
    'currency', json_array(null, 'USD'), 'order_products', json_array(null, json_array(
        json_object('product_custom_id', 'SKU-' || (i % {PRODUCTS}), 'quantity', 1, 'value', 19.9),
        json_object('product_custom_id', 'SKU-' || ((i + 7) % {PRODUCTS}), 'quantity', 1)))),
    'key:1', 'live' FROM n
"""
_SEQUENCE = (
    "INSERT INTO sequences (workspace_id, name, last) VALUES (1, :name, :last)"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET last = excluded.last"
)


def fill(path: Path, deals: int) -> int:
    """Put so many deals, ORD-1 and on, into a fresh database; return of how many contacts."""
    contacts = max(deals // DEALS_PER_CONTACT, 1_000)
    database = Sqlite(path)
    try:
        database.write(lambda tx: tx.run(_PRODUCTS, first=1, last=PRODUCTS))
        _in_parts(database, _CONTACTS, contacts)
        for statement in (_DEALS, _LINES, _JOURNAL):
            _in_parts(database, statement, deals, contacts)
        database.write(lambda tx: _number(tx, deals, contacts))
    finally:
        database.close()
    return contacts


def _in_parts(database: Sqlite, statement: str, count: int, contacts: int = 0) -> None:
    for first in range(1, count + 1, AT_ONCE):
        said = {"first": first, "last": min(first + AT_ONCE - 1, count)}
        if contacts:
            said["contacts"] = contacts
        database.write(partial(_run, statement, said))


def _run(statement: str, said: dict[str, int], tx: Tx) -> None:
    tx.run(statement, **said)


def _number(tx: Tx, deals: int, contacts: int) -> None:
    last = {"deal": deals, "contact": contacts, "product": PRODUCTS, "journal": deals}
    for name, number in last.items():
        tx.run(_SEQUENCE, name=name, last=number)
