"""The rules of the Online Retail format computed a second way, to check the reader against.

DuckDB sorts and adds up the rows; a plain loop over `Decimal` matches what came back. Nothing of
the reader is used here.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import duckdb

PENNY = Decimal("0.01")

TYPED = r"""
CREATE TABLE typed AS SELECT
    rowid AS place,
    trim(InvoiceNo) AS invoice,
    CASE WHEN regexp_matches(trim(InvoiceNo), '^[0-9]') THEN 'sale'
         WHEN starts_with(trim(InvoiceNo), 'C') THEN 'refund' ELSE 'other' END AS sort,
    trim(StockCode) AS sku,
    CASE WHEN regexp_matches(trim(StockCode), '^([0-9]|DCGS|gift_)') THEN 'product'
         WHEN trim(StockCode) = 'PADS' THEN 'product'
         WHEN trim(StockCode) IN ('POST', 'DOT', 'C2') THEN 'delivery'
         WHEN trim(StockCode) = 'D' THEN 'discount'
         ELSE 'fee' END AS kind,
    CAST(Quantity AS BIGINT) AS quantity,
    CAST(CAST(UnitPrice AS VARCHAR) AS DECIMAL(18, 6)) AS price,
    nullif(regexp_replace(CAST(CustomerID AS VARCHAR), '\.0*$', ''), '') AS customer,
    min(CAST(InvoiceDate AS TIMESTAMP)) OVER (PARTITION BY trim(InvoiceNo)) AS moment
FROM raw
"""
WORTH = """
CREATE TABLE worth AS SELECT *,
    CAST(quantity * price * 1000000 AS HUGEINT) AS millionths,
    millionths // 10000 AS down,
    millionths % 10000 AS rest,
    down + CASE WHEN rest > 5000 OR (rest = 5000 AND down % 2 = 1) THEN 1 ELSE 0 END AS pence
FROM typed
WHERE sort = 'sale' AND quantity > 0 AND price > 0 AND kind <> 'discount'
"""
RETURNED = """
SELECT invoice, customer, sku, -quantity, price FROM typed
WHERE sort = 'refund' AND quantity < 0 AND price > 0 AND kind = 'product'
ORDER BY moment, length(invoice), invoice, place
"""
SOLD = """
SELECT invoice, customer, sku, quantity, price, pence, moment FROM worth
WHERE kind = 'product' AND customer IS NOT NULL
ORDER BY moment DESC, length(invoice) DESC, invoice DESC, place
"""


@dataclass
class Truth:
    """What the rules give: money in pence, per order and per (order, credit note)."""

    gross: dict[str, int]
    refunds: dict[tuple[str, str], int]
    returned_in_full: set[str]
    unmatched: int
    rows: dict[str, int]
    values: dict[str, int] = field(default_factory=dict)


def compute(path: Path) -> Truth:
    with duckdb.connect(config={"threads": 2}) as base:
        source = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar=true)"
        base.execute(f"CREATE TABLE raw AS SELECT * FROM {source}", [str(path)])
        base.execute(TYPED)
        base.execute(WORTH)
        gross = dict(
            base.sql("SELECT invoice, sum(pence)::BIGINT FROM worth GROUP BY 1").fetchall()
        )
        refunds, unmatched, left = matched(base)
        truth = Truth(
            gross=gross,
            refunds=refunds,
            returned_in_full={order for order, pieces in left.items() if not pieces},
            unmatched=unmatched,
            rows=counted(base),
        )
    back: dict[str, int] = defaultdict(int)
    for (order, _), pence in refunds.items():
        back[order] += pence
    for order, pence in gross.items():
        truth.values[order] = 0 if order in truth.returned_in_full else pence - back[order]
    return truth


def matched(base: Any) -> tuple[dict[tuple[str, str], int], int, dict[str, int]]:
    """Money by order and credit note, the pieces that found no order, the pieces left by order."""
    stock: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    left: dict[str, int] = defaultdict(int)
    for invoice, customer, sku, quantity, price, pence, at in base.sql(SOLD).fetchall():
        line = {"order": invoice, "left": quantity, "price": price, "owed": pence, "at": at}
        stock[customer, sku].append(line)
        left[invoice] += quantity
    at_of = dict(base.sql("SELECT DISTINCT invoice, moment FROM typed").fetchall())
    refunds: dict[tuple[str, str], int] = defaultdict(int)
    unmatched = 0
    for credit, customer, sku, pieces, price in base.sql(RETURNED).fetchall():
        wanted = pieces
        for line in stock.get((customer, sku), ()):
            if line["at"] < at_of[credit] and line["left"] and wanted:
                taken = min(wanted, line["left"])
                money = (taken * min(price, line["price"])).quantize(PENNY, ROUND_HALF_EVEN)
                pence = min(int(money * 100), line["owed"])
                refunds[line["order"], credit] += pence
                line["left"] -= taken
                line["owed"] -= pence
                left[line["order"]] -= taken
                wanted -= taken
        unmatched += wanted
    return dict(refunds), unmatched, left


def counted(base: Any) -> dict[str, int]:
    """How many rows are of which sort."""
    ask = """
        SELECT kind, count(*) FROM worth GROUP BY 1
        UNION ALL SELECT 'refund', count(*) FROM typed
            WHERE sort = 'refund' AND quantity < 0 AND price > 0
        UNION ALL SELECT 'read', count(*) FROM typed
        UNION ALL SELECT 'returned pieces', coalesce(sum(-quantity), 0)::BIGINT FROM typed
            WHERE sort = 'refund' AND quantity < 0 AND price > 0 AND kind = 'product'
    """
    return dict(base.sql(ask).fetchall())
