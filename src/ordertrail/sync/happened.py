"""Events as they are known again, whoever tells of them: an order, a call, or a list of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ABOUT = ("order_id", "product_custom_id", "refund_id")


@dataclass(frozen=True, slots=True)
class Happened:
    """An event by its name, and the order, product and refund that its data says it is about."""

    name: str
    order_id: str | None
    sku: str | None = None
    refund_id: str | None = None

    @classmethod
    def of(cls, name: object, data: object) -> "Happened":
        """Return an event of this name and data; an endpoint may keep numbers as texts."""
        said = data if isinstance(data, Mapping) else {}
        about = (said.get(each) for each in _ABOUT)
        return cls(str(name), *(None if each is None else str(each) for each in about))

    @classmethod
    def event(cls, listed: Mapping[str, Any]) -> "Happened":
        """Return what an event in the API's list is."""
        return cls.of(listed.get("name"), listed.get("data"))

    @classmethod
    def product_event(cls, listed: Mapping[str, Any]) -> "Happened":
        """Return what a product event in the API's list is."""
        return cls.of(listed.get("event_type"), listed.get("custom_data"))

    def __str__(self) -> str:
        about = self.name if self.sku is None else f"{self.name} of {self.sku}"
        return about if self.refund_id is None else f"{about}, refund {self.refund_id}"
