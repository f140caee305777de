"""Saving one order: deal, lines and journal in one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from bench.peers.fast.models import Contact, Deal, Journal, OrderProduct, Product
from bench.peers.fast.shapes import DealSent

FIELDS = ("name", "contact_id", "stage", "status", "value", "currency", "attributes")
LINE_FIELDS = ("product_id", "product_custom_id", "quantity", "value", "currency")
WON, LOST = 2, 3


async def save(session: AsyncSession, said: DealSent, author: str) -> tuple[Deal, bool]:
    """Create or change the deal; the caller commits."""
    now = datetime.now(UTC)
    deal = await _find(session, said.custom_id)
    is_new = deal is None
    if deal is None:
        deal = Deal(custom_id=said.custom_id, created_at=now, updated_at=now)
    changes = await _change(session, deal, said, is_new)
    before = _told(deal.order_products)
    lines = await _lines(session, said)
    if _told(lines) != before:
        if before:
            deal.order_products.clear()
            await session.flush()
        deal.order_products.extend(lines)
        changes["order_products"] = [before, _told(lines)]
    if changes:
        deal.updated_at = now
        deal.won_at = (deal.won_at or now) if deal.status == WON else None
        deal.lost_at = (deal.lost_at or now) if deal.status == LOST else None
        session.add(deal)
        await session.flush()
        session.add(Journal(now, "deal", deal.id, deal.contact_id, is_new, changes, author))
    return deal, is_new


async def _find(session: AsyncSession, custom_id: str) -> Deal | None:
    found = await session.execute(
        select(Deal)
        .where(Deal.custom_id == custom_id)
        .options(selectinload(Deal.order_products))
        .with_for_update(of=Deal)
    )
    return found.scalar_one_or_none()


async def _change(
    session: AsyncSession, deal: Deal, said: DealSent, is_new: bool
) -> dict[str, Any]:
    """Set what was said, and return what that changes, old and new."""
    contact_id = await session.scalar(
        select(Contact.id).where(Contact.custom_id == said.user_custom_id)
    )
    wanted = {
        **{name: getattr(said, name) for name in ("name", "stage", "status", "currency")},
        "value": said.value.quantize(Decimal("0.01")),
        "contact_id": contact_id,
        "attributes": {"delivery_cost": said.delivery_cost},
    }
    changes = {}
    for name in FIELDS:
        old, new = None if is_new else getattr(deal, name), wanted[name]
        if old != new:
            setattr(deal, name, new)
            changes[name] = [_plain(old), _plain(new)]
    return changes


async def _lines(session: AsyncSession, said: DealSent) -> list[OrderProduct]:
    skus = [line.product_custom_id for line in said.order_products]
    products = await _products(session, skus)
    if missing := set(skus) - products.keys():
        made = [{"custom_id": sku} for sku in sorted(missing)]
        await session.execute(insert(Product).values(made).on_conflict_do_nothing())
        products = await _products(session, skus)
    return [
        OrderProduct(
            position,
            products[line.product_custom_id],
            line.product_custom_id,
            line.quantity,
            line.value.quantize(Decimal("0.01")),
            line.currency or said.currency,
        )
        for position, line in enumerate(said.order_products)
    ]


async def _products(session: AsyncSession, skus: Sequence[str]) -> dict[str, int]:
    found = await session.execute(
        select(Product.custom_id, Product.id).where(Product.custom_id.in_(skus))
    )
    return dict(found.tuples().all())


def _told(lines: Sequence[OrderProduct]) -> list[dict[str, Any]]:
    return [{name: _plain(getattr(line, name)) for name in LINE_FIELDS} for line in lines]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
