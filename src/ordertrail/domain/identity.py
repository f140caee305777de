"""Who is who: how a customer becomes the `custom_id` of a contact.

The guide names three strategies: the SHA-256 of the e-mail (recommended), the e-mail itself, or
the shop's own id. A guest without the needed fact gets an id of the order's own, so that two
guests are never merged into one contact.
"""

import enum
import hashlib

from ordertrail.domain.order import Customer


class Strategy(enum.StrEnum):
    """How the `custom_id` of a contact is made."""

    EMAIL_SHA256 = "email-sha256"
    EMAIL = "email"
    SHOP_ID = "shop-id"


def folded_email(email: str) -> str:
    """Return the e-mail trimmed and in lower case: the form in which two e-mails are compared."""
    return email.strip().lower()


def custom_id(customer: Customer, strategy: Strategy, order_id: str) -> str:
    """Return the contact's permanent id; a guest's is made from the order."""
    email = folded_email(customer.email or "")
    if strategy is Strategy.SHOP_ID:
        return customer.shop_id or f"guest:{order_id}"
    if not email:
        return f"guest:{order_id}"
    if strategy is Strategy.EMAIL:
        return email
    return hashlib.sha256(email.encode()).hexdigest()
