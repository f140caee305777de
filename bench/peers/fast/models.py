"""The tables: the same facts that Ordertrail keeps of a deal, for one tenant."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Numeric, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship


class Base(MappedAsDataclass, DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 (as SQLAlchemy says)
        datetime: DateTime(timezone=True),
        Decimal: Numeric(18, 2),
        dict[str, Any]: JSONB,
        int: BigInteger,
        str: String(200),
    }


class Key(Base):
    __tablename__ = "keys"
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)


class Contact(Base):
    __tablename__ = "contacts"
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    custom_id: Mapped[str] = mapped_column(unique=True)


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    custom_id: Mapped[str] = mapped_column(unique=True)


class OrderProduct(Base):
    __tablename__ = "order_products"
    deal_id: Mapped[int] = mapped_column(
        ForeignKey("deals.id", ondelete="CASCADE"), init=False, primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    product_custom_id: Mapped[str]
    quantity: Mapped[int]
    value: Mapped[Decimal]
    currency: Mapped[str]


class Deal(Base):
    __tablename__ = "deals"
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    custom_id: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    name: Mapped[str] = mapped_column(default="")
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("contacts.id"), index=True, default=None
    )
    stage: Mapped[int] = mapped_column(index=True, default=0)
    status: Mapped[int] = mapped_column(default=0)
    value: Mapped[Decimal] = mapped_column(default=Decimal(0))
    currency: Mapped[str] = mapped_column(default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    won_at: Mapped[datetime | None] = mapped_column(default=None)
    lost_at: Mapped[datetime | None] = mapped_column(default=None)
    order_products: Mapped[list[OrderProduct]] = relationship(
        order_by=OrderProduct.position, cascade="all, delete-orphan", default_factory=list
    )


class Journal(Base):
    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_subject", "subject", "subject_id", "id"),
        Index("journal_contact", "contact_id", "at", "id"),
    )
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    at: Mapped[datetime]
    subject: Mapped[str]
    subject_id: Mapped[int]
    contact_id: Mapped[int | None]
    is_new: Mapped[bool]
    changes: Mapped[dict[str, Any]]
    author: Mapped[str]
