"""A body of each shape as the description of the API shows it: whole, and fit to be sent."""

from collections.abc import Mapping
from typing import Any

from ordertrail.wire.attributes import AttributeSent
from ordertrail.wire.batch import BatchSent
from ordertrail.wire.companies import CompanySent
from ordertrail.wire.contact_actions import ListNamed, ManyCustomSent, ManySent, MergeSent
from ordertrail.wire.contacts import ContactSent
from ordertrail.wire.deals import DealSent
from ordertrail.wire.events import EventSent, NamedEventSent
from ordertrail.wire.groups import GroupSent
from ordertrail.wire.naming import ContactNamed
from ordertrail.wire.one_field import AttributeNamed, FieldSent
from ordertrail.wire.pipelines import (
    OrderSent,
    PipelineSent,
    StageDescribed,
    StageRemoval,
    StageSent,
)
from ordertrail.wire.products import NamedProductEventSent, ProductEventSent, ProductSent
from ordertrail.wire.tags import TagNamed, TagsSent
from ordertrail.wire.workspaces import WorkspaceSent

_CONTACT: dict[str, Any] = {
    "custom_id": "ada",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Smith",
    "phone": "+44 20 7946 0000",
    "city": "York",
    "first_seen": "2026-01-31T18:00:00Z",
    "tags": ["newsletter"],
    "plan": "pro",
}
_EVENT: dict[str, Any] = {
    "name": "purchase_completed",
    "timestamp": "2026-02-01T09:30:00Z",
    "data": {"order_id": "ORD-78523", "value": 149.90},
}
_PRODUCT_EVENT: dict[str, Any] = {
    "user_custom_id": "ada",
    "event_type": "purchase",
    "timestamp": "2026-02-01T09:30:00Z",
    "data": {"name": "Desk lamp", "price": 59.95, "custom_data": {"quantity": 2}},
}

EXAMPLES: Mapping[Any, dict[str, Any]] = {
    ContactSent: _CONTACT,
    MergeSent: {"parent": 1, "users_list": [2]},
    FieldSent: {"attribute": "plan", "value": "pro"},
    AttributeNamed: {"attribute": "plan"},
    TagNamed: {"name": "vip"},
    TagsSent: {"tag_names": ["vip", "newsletter"]},
    ListNamed: {"list": 1},
    ManySent: {"ids": [1, 2], "attribute": "city", "value": "York"},
    ManyCustomSent: {"ids": [1, 2], "attribute": "plan", "value": "pro"},
    EventSent: _EVENT,
    NamedEventSent: {"user_custom_id": "ada", **_EVENT},
    DealSent: {
        "custom_id": "ORD-78523",
        "name": "Order 78523",
        "user_custom_id": "ada",
        "stage": 1,
        "value": 149.90,
        "currency": "EUR",
        "order_products": [
            {"product_custom_id": "SKU-LAMP-001", "quantity": 2, "value": 59.95},
            {"product_custom_id": "SKU-BULB-004", "quantity": 3, "value": 10},
        ],
        "tags": ["spring"],
        "gift_wrap": True,
    },
    ProductSent: {
        "custom_id": "SKU-LAMP-001",
        "name": "Desk lamp",
        "price": 59.95,
        "product_url": "https://shop.example.com/desk-lamp",
        "category_name": "Lamps",
        "colour": "green",
    },
    ProductEventSent: _PRODUCT_EVENT,
    NamedProductEventSent: {"custom_id": "SKU-LAMP-001", **_PRODUCT_EVENT},
    AttributeSent: {
        "content_type": "deal",
        "name": "Gift wrap",
        "value_type": "boolean",
        "description": "Whether it is a present",
    },
    PipelineSent: {"name": "Returns"},
    OrderSent: {"stages": [3, 1, 2]},
    StageSent: {"pipeline": 1, "name": "Packed", "description": "Ready to be sent"},
    StageDescribed: {"name": "Packed", "description": "Ready to be sent"},
    StageRemoval: {"move_to": 1},
    GroupSent: {"name": "Readers"},
    CompanySent: {
        "custom_id": "acme",
        "name": "Acme",
        "email": "office@acme.example.com",
        "city": "York",
        "phone_numbers": ["+44 20 7946 0001"],
        "size": 42,
    },
    ContactNamed: {"user_custom_id": "ada"},
    WorkspaceSent: {"name": "Main", "currency": "EUR", "time_zone": "Europe/Warsaw"},
    BatchSent: {
        "operations": [
            {
                "method": "POST",
                "path": "/api/public/users/update_or_create/",
                "body": {"custom_id": "ada", "city": "York"},
            },
            {
                "method": "POST",
                "path": "/api/public/users-by-id/ada/events/",
                "body": {"name": "login"},
                "key": "login-of-ada-1",
            },
        ]
    },
}
