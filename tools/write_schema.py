"""Writes docs/order.schema.json from the types of an order: `python tools/write_schema.py`."""

import json
import typing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ordertrail.domain import order
from ordertrail.sync.shops.canonical import NUMBER_TEXT, QUANTITY_MAX, VERSION_MAX

PAGE = Path(__file__).parent.parent / "docs" / "order.schema.json"
KINDS = {
    kind.__name__: kind
    for kind in (order.Order, order.Customer, order.Line, order.Refund, order.RefundLine)
}
DESCRIPTIONS = {
    "Order": "A snapshot of one order: everything the shop knows about it at one moment.",
    "Order.id": "The shop's own id of the order, for ever the same.",
    "Order.customer": "Who ordered; {} for a guest of whom nothing is known.",
    "Order.placed_at": "When the order was placed.",
    "Order.currency": "ISO 4217 code of all amounts of the order, in capitals.",
    "Order.lines": "What was ordered.",
    "Order.refunds": "Everything that was given back so far, not only the latest.",
    "Order.fulfilled_at": "When the order was fulfilled, as far as it was.",
    "Order.cancelled_at": "When the order was cancelled, as far as it was.",
    "Order.delivery": "What delivery costs, besides the lines.",
    "Order.fees": "Fees besides the lines.",
    "Order.discount": "What is taken off the lines.",
    "Order.attributes": "Further facts about the order, sent as they are under these names.",
    "Order.tax": "Tax that the prices do not hold already.",
    "Order.total": "What the shop says all parts come to; it may differ by its own rounding.",
    "Order.status": "The shop's own word for the state of the order.",
    "Order.updated_at": "When the shop last changed the order; the later snapshot is the newer.",
    "Order.version": "The revision of the order where the shop counts them; above updated_at.",
    "Customer": "Who ordered, as far as the shop says.",
    "Customer.email": "The e-mail given with the order.",
    "Customer.shop_id": "The id of the customer's account in the shop.",
    "Customer.first_name": "The first name.",
    "Customer.last_name": "The last name.",
    "Customer.phone": "The telephone number.",
    "Customer.country": "The country.",
    "Customer.account_email": "The e-mail of the account that the customer was signed in to.",
    "Customer.region": "The region.",
    "Customer.city": "The city.",
    "Line": "One position of an order.",
    "Line.sku": "The product; null for what is money alone and no product.",
    "Line.quantity": "How many were ordered.",
    "Line.unit_price": "The price of one.",
    "Line.name": "What the product is called.",
    "Refund": "Money and quantity given back.",
    "Refund.id": "The shop's own id of the refund; no two of an order share one.",
    "Refund.at": "When it was given back.",
    "Refund.value": "The money that was given back.",
    "Refund.lines": "What came back; empty when it was money alone.",
    "RefundLine": "Quantity of one SKU that came back.",
    "RefundLine.sku": "The product.",
    "RefundLine.quantity": "How many came back.",
}
AMOUNT = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": 10**12},
        {"type": "string", "pattern": rf"^(?!-){NUMBER_TEXT.pattern}$"},
    ]
}
MOMENT = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})$",
}
SHARPER = {
    "Order.id": {"pattern": r"\S"},
    "Order.currency": {"pattern": "^[A-Z]{3}$"},
    "Line.quantity": {"minimum": 1, "maximum": QUANTITY_MAX},
    "RefundLine.quantity": {"minimum": 1, "maximum": QUANTITY_MAX},
}


def page() -> str:
    """Return the schema as it should be."""
    made = msgspec.json.schema(order.Order, schema_hook=lambda _: {"description": "Any JSON."})
    types = {name: _described(name, made["$defs"][name]) for name in KINDS}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An order for Ordertrail",
    }
    return json.dumps({**head, "$ref": "#/$defs/Order", "$defs": types}, indent=2) + "\n"


def _described(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(KINDS[kind])
    fields = {
        name: _field(f"{kind}.{name}", hints[name], field)
        for name, field in schema["properties"].items()
    }
    return {
        "description": DESCRIPTIONS[kind],
        "type": "object",
        "properties": fields,
        "required": schema["required"],
        "additionalProperties": False,
    }


def _field(path: str, hint: object, schema: dict[str, Any]) -> dict[str, Any]:
    kinds = (hint, *typing.get_args(hint))
    nullable = [{"type": "null"}] if type(None) in kinds else []
    if Decimal in kinds:
        field: dict[str, Any] = {"anyOf": [*AMOUNT["anyOf"], *nullable]}
    elif datetime in kinds:
        field = {"anyOf": [MOMENT, *nullable]} if nullable else dict(MOMENT)
    elif path == "Order.version":
        field = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": VERSION_MAX}, *nullable]}
    else:
        field = {name: part for name, part in schema.items() if name != "default"}
    return {"description": DESCRIPTIONS[path], **field, **SHARPER.get(path, {})}


if __name__ == "__main__":
    PAGE.write_text(page())
