"""Ordertrail: every order of a shop, recorded exactly once."""

from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine

__all__ = ["Customer", "Line", "Order", "Refund", "RefundLine"]
