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


def emails(customer: Customer, *, prefers_account: bool) -> tuple[str | None, str | None]:
    """Return the e-mail that is the contact's, and the other one where it differs.

    A customer has at most two: the one given with the order, and that of the shop account.
    """
    both = (customer.account_email, customer.email)
    known = [email.strip() for email in both if email and email.strip()]
    if not prefers_account:
        known.reverse()
    first = known[0] if known else None
    other = known[-1] if known and folded_email(known[-1]) != folded_email(known[0]) else None
    return first, other


def is_guest(custom_id: str, order_id: str) -> bool:
    """Tell whether the contact is nobody but the guest of this order."""
    return custom_id == guest_id(order_id)


def guest_id(order_id: str) -> str:
    """Return the id of the contact of an order that does not say who ordered."""
    return f"guest:{order_id}"


def custom_id(customer: Customer, strategy: Strategy, order_id: str) -> str:
    """Return the permanent id of a contact who goes by the e-mail given with the order."""
    return named_by(customer.email, customer.shop_id, strategy, order_id)


def named_by(email: str | None, shop_id: str | None, strategy: Strategy, order_id: str) -> str:
    """Return the contact's permanent id; a guest's is made from the order."""
    email = folded_email(email or "")
    if strategy is Strategy.SHOP_ID:
        return shop_id or guest_id(order_id)
    if not email:
        return guest_id(order_id)
    if strategy is Strategy.EMAIL:
        return email
    return hashlib.sha256(email.encode()).hexdigest()
