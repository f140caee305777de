"""Orders for tests: the guide's own, in each of its states."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine

PLACED_AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
FULFILLED_AT = PLACED_AT + timedelta(days=1)
CANCELLED_AT = PLACED_AT + timedelta(days=2)
REFUNDED_AT = PLACED_AT + timedelta(days=3)

JOHN = Customer("john@example.com", "17", "John", "Doe", "+1234567890")
HEADPHONES = Line("SKU-HEADPHONES-BLK", 1, Decimal("129.90"), "Headphones")
CASE = Line("SKU-CASE-001", 1, Decimal("20.00"), "Case")
CASE_BACK = Refund("R1", REFUNDED_AT, Decimal("20.00"), (RefundLine("SKU-CASE-001", 1),))
REST_BACK = Refund(
    "R2",
    REFUNDED_AT + timedelta(hours=1),
    Decimal("129.90"),
    (RefundLine("SKU-HEADPHONES-BLK", 1),),
)

PLACED = Order("ORD-78523", JOHN, PLACED_AT, "USD", (HEADPHONES, CASE))
FULFILLED = replace(PLACED, fulfilled_at=FULFILLED_AT)
CANCELLED = replace(PLACED, cancelled_at=CANCELLED_AT)
PARTLY_RETURNED = replace(FULFILLED, refunds=(CASE_BACK,))
RETURNED = replace(FULFILLED, refunds=(CASE_BACK, REST_BACK))

SNAPSHOTS = [PLACED, FULFILLED, CANCELLED, PARTLY_RETURNED, RETURNED]


def many(count: int, contacts: int = 7) -> list[Order]:
    """So many orders in every state, of fewer contacts."""
    return [
        replace(
            SNAPSHOTS[n % len(SNAPSHOTS)],
            id=f"O{n}",
            customer=replace(
                JOHN, email=f"j{n % contacts}@example.com", shop_id=str(17 + n % contacts)
            ),
        )
        for n in range(count)
    ]
