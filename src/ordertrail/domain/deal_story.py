"""What the journal tells of a deal: each field that changed, as people read it."""

from collections.abc import Callable, Mapping
from typing import Any

from ordertrail.domain import money
from ordertrail.domain.deal import Deal, OrderProduct
from ordertrail.domain.journal import Subject, differences, gone

IDS: Mapping[str, Subject] = {
    "user_id": Subject.CONTACT,
    "participants": Subject.CONTACT,
    "pipeline": Subject.PIPELINE,
    "stage": Subject.STAGE,
    "company_id": Subject.COMPANY,
    "products": Subject.PRODUCT,
}
"""Fields that hold the id of something, or a list of ids, and what that is."""

_NOTHING: tuple[Any, ...] = ([], ())


def changes(old: Deal | None, new: Deal) -> dict[str, tuple[Any, Any]]:
    """Return every field that differs, with both values; of a new deal, every one with a value."""
    if old is None:
        said = {name: say(new) for name, _, say in _FIELDS} | {**new.details, **new.attributes}
        return {name: (None, v) for name, v in said.items() if v is not None and v not in _NOTHING}
    told = {name: (say(old), say(new)) for name, read, say in _FIELDS if read(old) != read(new)}
    return (
        told | differences(old.details, new.details) | differences(old.attributes, new.attributes)
    )


def deletion(deal: Deal) -> dict[str, tuple[Any, Any]]:
    """Return every field that the deal had, and that nothing is left of it."""
    return gone(deal.id, {name: had for name, (_, had) in changes(None, deal).items()})


def _lines(deal: Deal) -> list[dict[str, Any]]:
    return [_line(line) for line in deal.lines]


def _line(line: OrderProduct) -> dict[str, Any]:
    return {
        "product_custom_id": line.product_custom_id,
        "quantity": line.quantity,
        "value": money.unit_price(line.price_micros),
        "currency": line.currency,
    }


Read = Callable[[Deal], Any]


def _plain(name: str, read: Read) -> tuple[str, Read, Read]:
    return name, read, read


_FIELDS: tuple[tuple[str, Read, Read], ...] = (
    _plain("custom_id", lambda deal: deal.custom_id),
    _plain("name", lambda deal: deal.name),
    _plain("user_id", lambda deal: deal.contact_id),
    _plain("pipeline", lambda deal: deal.pipeline_id),
    _plain("stage", lambda deal: deal.stage_id),
    ("status", lambda deal: deal.status, lambda deal: int(deal.status)),
    ("value", lambda deal: deal.value, lambda deal: str(deal.value.amount)),
    _plain("currency", lambda deal: deal.value.currency),
    _plain("won_at", lambda deal: deal.won_at),
    _plain("lost_at", lambda deal: deal.lost_at),
    ("order_products", lambda deal: deal.lines, _lines),
    _plain("products", lambda deal: deal.product_ids),
    ("tags", lambda deal: deal.tags, lambda deal: [tag.name for tag in deal.tags]),
)
"""Name, what is compared, and what is told."""
