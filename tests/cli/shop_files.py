"""Files of a small shop for tests of the command line."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

AT = "2026-03-01T10:00:00Z"
SHIPPED_AT = "2026-03-02T08:00:00Z"
LAMP = {"sku": "LAMP", "quantity": 2, "unit_price": "19.90", "name": "Lamp"}
BULB = {"sku": "BULB", "quantity": 4, "unit_price": "2.50", "name": "Bulb"}


def order(order_id: str, **changes: Any) -> dict[str, Any]:
    """An order of two lines that comes to 49.80, not shipped yet; each has a contact of its own."""
    said = {
        "id": order_id,
        "customer": {"email": f"{order_id.lower()}@example.com", "first_name": "Ann"},
        "placed_at": AT,
        "currency": "EUR",
        "lines": [LAMP, BULB],
    }
    return said | changes


def shipped(order_id: str, **changes: Any) -> dict[str, Any]:
    return order(order_id, fulfilled_at=SHIPPED_AT, **changes)


def write_jsonl(path: Path, orders: Iterable[dict[str, Any] | str]) -> Path:
    """One line for each; what is text already stands there as it is."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in orders]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def write_csv(path: Path, order_ids: Iterable[str]) -> Path:
    columns = "order_id placed_at currency sku quantity unit_price email fulfilled_at".split()
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        for each in order_ids:
            rows.writerow([each, AT, "EUR", "LAMP", 2, "19.90", f"{each}@csv.example", SHIPPED_AT])
            rows.writerow([each, "", "", "BULB", 4, "2.50", "", ""])
    return path
