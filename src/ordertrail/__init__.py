"""Ordertrail: every order of a shop, recorded exactly once.

`Tracker` is imported when it is first asked for, since it brings the client along; the orders
and the settings of a flow cost next to nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OrdertrailError,
    Refused,
    Unauthorised,
    Unavailable,
)
from ordertrail.domain.identity import Strategy
from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine
from ordertrail.sync.rules import Flow, FlowName, Milestone, Names, Place, Revenue, Stages

if TYPE_CHECKING:
    from ordertrail.sync.tracker import FakeTracker, Tracker

__all__ = [
    "Conflict",
    "Customer",
    "FakeTracker",
    "Flow",
    "FlowName",
    "Forbidden",
    "Invalid",
    "Line",
    "Milestone",
    "Names",
    "NotFound",
    "Order",
    "OrdertrailError",
    "Place",
    "Refund",
    "RefundLine",
    "Refused",
    "Revenue",
    "Stages",
    "Strategy",
    "Tracker",
    "Unauthorised",
    "Unavailable",
]

_LATER = {"Tracker": "ordertrail.sync.tracker", "FakeTracker": "ordertrail.sync.tracker"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
