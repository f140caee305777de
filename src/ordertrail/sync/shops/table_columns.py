"""The columns of the CSV layout: what each is called and what its cells mean."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from ordertrail.domain.attribute import ATTRIBUTES_MAX, NAME_LENGTH_MAX
from ordertrail.domain.errors import Invalid
from ordertrail.domain.order import AMOUNTS, MOMENTS, VERSION_MAX
from ordertrail.sync import exact
from ordertrail.sync.shops import cells, columns
from ordertrail.sync.shops.canonical import ID_CHARS_MAX
from ordertrail.sync.shops.columns import Field, Table

ATTRIBUTE = "attr:"
REQUIRED = ("order_id", "placed_at", "currency", "sku", "quantity", "unit_price")
CUSTOMER = {
    "email": "email",
    "account_email": "account_email",
    "customer_id": "shop_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "country": "country",
    "region": "region",
    "city": "city",
}
"""Columns about the customer, and the fields of `Customer` that they fill."""

OF_THE_ORDER = (*MOMENTS, "currency", "status", "version", *AMOUNTS)
"""Columns that fill the field of `Order` of the same name; with the customer's and attributes
they are the columns of which all rows of an order agree."""

OF_A_LINE = ("quantity", "unit_price", "name")
OF_A_REFUND = ("refund_id", "refund_at", "refund_value", "refund_quantity")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell that means nothing, and why: its order is rejected, the others are not."""

    reason: str


def fields(path: Path, zone: tzinfo | None) -> list[Field[Any]]:
    """Return the columns that a file has; raises Invalid that names unknown and missing ones."""
    names = columns.header(path)
    if not names:
        raise Invalid({path.name: "is empty"})
    known = _meanings(zone)
    wrong = {f"{path.name}, column {name}": "is missing" for name in REQUIRED if name not in names}
    if len(names) == 1 and names[0].count(";") > 1:
        raise Invalid({path.name: "has ; between its cells; they must be commas"})
    attributes = [name for name in names if name.startswith(ATTRIBUTE)]
    if len(attributes) > ATTRIBUTES_MAX:
        raise Invalid({path.name: f"has more than {ATTRIBUTES_MAX} columns of attributes"})
    for name in names:
        if name in attributes:
            if not 1 <= len(name.removeprefix(ATTRIBUTE).strip()) <= NAME_LENGTH_MAX:
                reason = f"an attribute's name has 1 to {NAME_LENGTH_MAX} characters"
                wrong[f"{path.name}, column {exact.shown(name)}"] = reason
        elif name not in known:
            wrong[f"{path.name}, column {exact.shown(name)}"] = exact.not_one_of(name, known)
    if wrong:
        raise Invalid(wrong)
    return [Field(name, known.get(name, _tolerant(cells.text))) for name in names]


def order_wide(table: Table) -> list[str]:
    """Return the names of the table's columns of which all rows of an order agree."""
    wide = {*OF_THE_ORDER, *CUSTOMER}
    return [name for name in table.columns if name in wide or name.startswith(ATTRIBUTE)]


def _meanings(zone: tzinfo | None) -> dict[str, Callable[[object], object]]:
    """What a cell of each column means; an empty one means None, which is "not said"."""
    text, moment = _tolerant(cells.text), _tolerant(cells.moment(zone))
    price, quantity = _tolerant(cells.price), _tolerant(cells.quantity)
    return {
        **dict.fromkeys(("currency", "sku", "name", "status", "refund_id", *CUSTOMER), text),
        **dict.fromkeys((*MOMENTS, "refund_at"), moment),
        **dict.fromkeys((*AMOUNTS, "unit_price", "refund_value"), price),
        **dict.fromkeys(("quantity", "refund_quantity"), quantity),
        "version": _tolerant(cells.whole(VERSION_MAX)),
        "order_id": _order_id,
    }


def _tolerant(parse: Callable[[object], object]) -> Callable[[object], object]:
    def read(cell: object) -> object:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return None
        try:
            return parse(cell)
        except ValueError as error:
            return Wrong(str(error))

    return read


def _order_id(cell: object) -> object:
    try:
        found = cells.required_text(cell)
    except ValueError as error:
        return Wrong(str(error))
    return (
        found if len(found) <= ID_CHARS_MAX else Wrong(f"has more than {ID_CHARS_MAX} characters")
    )
