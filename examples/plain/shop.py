"""A shop without a framework: an order is placed and fulfilled, and one of its lines comes back."""

import os
import sys
from datetime import UTC, datetime
from decimal import Decimal

from ordertrail import Customer, Line, Order, Tracker


def main() -> int:
    """Go through the life of one order; 75 when it is not delivered in time."""
    tracker = Tracker(
        url=os.environ["ORDERTRAIL_URL"],
        token=os.environ["ORDERTRAIL_TOKEN"],
        outbox=os.environ.get("SHOP_OUTBOX", "shop.outbox"),
    )
    with tracker:
        tracker.placed(
            Order(
                id="ORD-78523",
                customer=Customer("john@example.com", first_name="John", last_name="Doe"),
                placed_at=datetime.now(UTC),
                currency="USD",
                lines=(
                    Line("SKU-HEADPHONES-BLK", 1, Decimal("129.90"), "Headphones"),
                    Line("SKU-CASE-001", 1, Decimal("20.00"), "Case"),
                ),
            )
        )
        tracker.fulfilled("ORD-78523")
        tracker.returned("ORD-78523", lines={"SKU-CASE-001": 1}, refund_id="R-1")
        is_done = tracker.drain(timeout_s=30)
        print("delivered" if is_done else f"{tracker.pending()} calls wait; they are on disk")
        for call in tracker.parked():
            print(f"given up: {call.order_id}: {call.reason}", file=sys.stderr)
    return 0 if is_done else 75


if __name__ == "__main__":
    sys.exit(main())
