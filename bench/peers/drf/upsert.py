"""Saving one order: deal, lines and journal in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from bench.peers.drf.models import Contact, Deal, Journal, OrderProduct, Product

FIELDS = ("name", "contact_id", "stage", "status", "value", "currency", "attributes")
LINE_FIELDS = ("product_id", "product_custom_id", "quantity", "value", "currency")
WON, LOST = 2, 3


def save(said: Mapping[str, Any], author: str) -> tuple[Deal, list[OrderProduct], bool]:
    """Create or change the deal; whoever loses a race to create one changes it."""
    try:
        return _save(said, author)
    except IntegrityError:
        return _save(said, author)


@transaction.atomic
def _save(said: Mapping[str, Any], author: str) -> tuple[Deal, list[OrderProduct], bool]:
    now = timezone.now()
    deal = Deal.objects.select_for_update().filter(custom_id=said["custom_id"]).first()
    is_new = deal is None
    before = [] if deal is None else list(deal.order_products.all())
    if deal is None:
        deal = Deal(custom_id=said["custom_id"], created_at=now)
    changes = _change(deal, said, is_new)
    if changes or is_new:
        deal.updated_at = now
        deal.won_at = (deal.won_at or now) if deal.status == WON else None
        deal.lost_at = (deal.lost_at or now) if deal.status == LOST else None
        deal.save(force_insert=is_new)
    lines = _lines(deal, said["order_products"])
    if _told(lines) != _told(before):
        if before:
            OrderProduct.objects.filter(deal=deal).delete()
        OrderProduct.objects.bulk_create(lines)
        changes["order_products"] = [_told(before), _told(lines)]
    if changes:
        Journal.objects.create(
            at=now,
            subject="deal",
            subject_id=deal.id,
            contact_id=deal.contact_id,
            is_new=is_new,
            changes=changes,
            author=author,
        )
    return deal, lines, is_new


def _change(deal: Deal, said: Mapping[str, Any], is_new: bool) -> dict[str, Any]:
    """Set what was said, and return what that changes, old and new."""
    contact = Contact.objects.filter(custom_id=said["user_custom_id"]).only("id").first()
    wanted = {
        **{name: said[name] for name in ("name", "stage", "status", "value", "currency")},
        "contact_id": contact and contact.id,
        "attributes": {"delivery_cost": said["delivery_cost"]},
    }
    changes = {}
    for name in FIELDS:
        old, new = None if is_new else getattr(deal, name), wanted[name]
        if old != new:
            setattr(deal, name, new)
            changes[name] = [_plain(old), _plain(new)]
    return changes


def _lines(deal: Deal, said: Sequence[Mapping[str, Any]]) -> list[OrderProduct]:
    skus = [line["product_custom_id"] for line in said]
    products = _products(skus)
    if missing := set(skus) - products.keys():
        made = [Product(custom_id=sku) for sku in sorted(missing)]
        Product.objects.bulk_create(made, ignore_conflicts=True)
        products = _products(skus)
    return [
        OrderProduct(
            deal=deal,
            position=position,
            product_id=products[line["product_custom_id"]],
            product_custom_id=line["product_custom_id"],
            quantity=line["quantity"],
            value=line["value"],
            currency=line.get("currency", deal.currency),
        )
        for position, line in enumerate(said)
    ]


def _products(skus: Sequence[str]) -> dict[str, int]:
    return dict(Product.objects.filter(custom_id__in=skus).values_list("custom_id", "id"))


def _told(lines: Sequence[OrderProduct]) -> list[dict[str, Any]]:
    return [{name: _plain(getattr(line, name)) for name in LINE_FIELDS} for line in lines]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str | dict) else f"{value:.2f}"
