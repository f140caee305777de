"""What goes in and what comes out."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class LineSent(BaseModel):
    product_custom_id: str = Field(max_length=200)
    value: Decimal
    currency: str | None = None
    quantity: int = Field(ge=1)


class DealSent(BaseModel):
    custom_id: str = Field(max_length=200)
    user_custom_id: str = Field(max_length=200)
    name: str = Field(max_length=200)
    stage: int
    status: int
    value: Decimal
    currency: str = Field(max_length=3)
    delivery_cost: float
    products_custom_id: list[str]
    order_products: list[LineSent]


class LineShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    product_id: int
    product_custom_id: str
    quantity: int
    value: Decimal
    currency: str


class DealShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    custom_id: str
    name: str
    contact_id: int | None
    stage: int
    status: int
    value: Decimal
    currency: str
    attributes: dict[str, Any]
    won_at: datetime | None
    lost_at: datetime | None
    created_at: datetime
    updated_at: datetime
    order_products: list[LineShown]
    created: bool = False
