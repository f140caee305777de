"""A small shop in the Online Retail format: some customers, guests, partial and full returns."""

import csv
from pathlib import Path

COLUMNS = (
    "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country".split()
)


def write_shop(path: Path, *, orders: int) -> Path:
    """Write a file with so many orders; every fifth is returned in part, every ninth whole."""
    rows = []
    for number in range(orders):
        customer = "" if number % 11 == 10 else f"{12000 + number % 7}"
        day = f"2011-03-{1 + number // 24:02} {number % 24:02}"
        skus = [f"{20000 + (number * 3 + place) % 40}" for place in range(1 + number % 6)]
        for place, sku in enumerate(skus):
            rows.append(
                [f"{500000 + number}", sku, f"THING {sku}", 2, f"{day}:10:00", 1.25 + place]
            )
        rows.append([f"{500000 + number}", "POST", "POSTAGE", 1, f"{day}:10:00", 3.5])
        back = skus if number % 9 == 8 else skus[:1] if number % 5 == 4 else []
        for place, sku in enumerate(back):
            rows.append([f"C{600000 + number}", sku, "", -2, f"{day}:40:00", 1.25 + place])
        for row in rows:
            if len(row) < len(COLUMNS):
                row += [customer, "United Kingdom"]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path
