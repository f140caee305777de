"""The orders that the benchmarks send: two lines each, placed, and later at another stage."""

import random
from collections.abc import Iterator
from typing import Any

UPDATE_OR_CREATE = "/api/public/deals/update_or_create/"


def deal(number: int, stage: int) -> dict[str, Any]:
    """Return the body that says what an order is at a stage."""
    skus = [f"SKU-{number % 500}", f"SKU-{(number + 7) % 500}"]
    return {
        "custom_id": f"ORD-{number}",
        "user_custom_id": f"user-{number % 1000}",
        "name": f"Order #{number}",
        "stage": stage,
        "status": stage,
        "value": 24.9 + number % 7,
        "currency": "USD",
        "delivery_cost": 9.99,
        "products_custom_id": skus,
        "order_products": [
            {"product_custom_id": skus[0], "value": 19.9, "currency": "USD", "quantity": 1},
            {"product_custom_id": skus[1], "value": 5.0 + number % 7, "quantity": 1},
        ],
    }


def placed_and_changed(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield so many orders, each once new and, a little later, once at another stage."""
    rng = random.Random(first)
    seen: set[int] = set()
    for new in range(first, first + count):
        for number in (new, new - rng.randrange(200)):
            if number >= first:
                yield deal(number, 2 if number in seen else 1)
                seen.add(number)
