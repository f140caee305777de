"""A destination in memory: what an endpoint of the API holds after what it was told."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ordertrail.kit import json

PAGE_SIZE = 5
API = "/api/public"
URL = "http://destination"
WORKSPACE = "w-1"
ABOUT = "/api/ordertrail/v1/about/"
BATCH = "/api/ordertrail/v1/batch/"


@dataclass(frozen=True)
class Kind:
    """What an endpoint can do; the platform can do it all, the hosted service less."""

    name: str
    is_ours: bool = True
    honours_keys: bool = True
    takes_batches: bool = True
    makes_what_is_missing: bool = True
    limit_per_s: int | None = None
    can_merge: bool = True

    @property
    def destination(self) -> str:
        """What a sync calls it for ever."""
        return f"workspace:{WORKSPACE}" if self.is_ours else URL


PLATFORM = Kind("platform")
WITHOUT_BATCHES = Kind("platform without batches", takes_batches=False)
HOSTED = Kind(
    "hosted",
    is_ours=False,
    honours_keys=False,
    takes_batches=False,
    makes_what_is_missing=False,
    limit_per_s=10,
)


@dataclass(frozen=True)
class Reply:
    """What the endpoint answers."""

    status: int
    said: Any
    headers: dict[str, str] = field(default_factory=dict)


NOT_FOUND = Reply(404, {"detail": "Not found."})


class Endpoint:
    """Contacts and deals by custom id, events as a list, all just as they were told."""

    def __init__(self, kind: Kind, now: Callable[[], float], lists_by_time: bool = False) -> None:
        self.kind = kind
        self.lists_by_time = lists_by_time
        self.now = now
        self.contacts: dict[str, dict[str, Any]] = {}
        self.merged: dict[str, str] = {}
        self.deals: dict[str, dict[str, Any]] = {}
        self.products: set[str] = set()
        self.product_events: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.changes = 0
        self.refused: list[tuple[str, Reply]] = []
        self._answers: dict[str, Reply] = {}
        self._last_id = 0
        self._second: tuple[int, int] = (0, 0)
        self._locked_until = 0.0

    def take(self, method: str, target: str, key: str | None, said: dict[str, Any]) -> Reply:
        """Carry out one request and answer it."""
        if throttled := self._throttled():
            return throttled
        reply = self.carry_out(method, target, key, said)
        if reply.status >= 400 and target != ABOUT:
            self.refused.append((target, reply))
        return reply

    def carry_out(self, method: str, target: str, key: str | None, said: dict[str, Any]) -> Reply:
        """Carry out one request, whatever the limit says."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        for wanted, path, handle in _ROUTES:
            if wanted == method and (found := path.fullmatch(parts.path)):
                ids = [unquote(each) for each in found.groups()]
                if method == "GET":
                    return handle(self, query, *ids)
                return self._once(key, lambda handle=handle, ids=ids: handle(self, said, *ids))
        return NOT_FOUND

    def known_as(self, custom_id: str) -> str:
        """Return who a contact is by now, after all merges."""
        while custom_id in self.merged and custom_id not in self.contacts:
            custom_id = self.merged[custom_id]
        return custom_id

    def _once(self, key: str | None, work: Callable[[], Reply]) -> Reply:
        if key is None or not self.kind.honours_keys:
            return work()
        if key not in self._answers:
            reply = work()
            if reply.status >= 300:
                return reply
            self._answers[key] = reply
        return self._answers[key]

    def _throttled(self) -> Reply | None:
        limit, second = self.kind.limit_per_s, int(self.now())
        if limit is None:
            return None
        if self.now() < self._locked_until:
            return Reply(401, {"detail": "Invalid token."})
        count = self._second[1] + 1 if self._second[0] == second else 1
        self._second = second, count
        if count > 3 * limit:
            self._locked_until = self.now() + 2.0
        if count <= limit:
            return None
        detail = "Request was throttled. Expected available in 1 second."
        return Reply(429, {"detail": detail}, {"retry-after": "1"})

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _about(self, query: dict[str, str]) -> Reply:
        if not self.kind.is_ours:
            return NOT_FOUND
        features = ["idempotency", *(["batch"] if self.kind.takes_batches else [])]
        told = {"name": "ordertrail", "version": "1", "workspace": WORKSPACE}
        return Reply(200, {**told, "features": features})

    def _batch(self, said: dict[str, Any]) -> Reply:
        if not self.kind.takes_batches:
            return NOT_FOUND
        replies = []
        for each in said["operations"]:
            key = each.get("key")
            reply = self.carry_out(each["method"], each["path"], key, each.get("body") or {})
            replies.append({"status": reply.status, "body": reply.said})
        return Reply(200, {"results": replies})

    def _upsert_contact(self, said: dict[str, Any]) -> Reply:
        name = said["custom_id"]
        if self.kind.honours_keys:
            name = self.known_as(name)
        contact = self.contacts.get(name)
        if contact is None:
            contact = self.contacts[name] = {"id": self._new_id()}
        self.changes += 1
        contact.update({**said, "custom_id": name})
        return Reply(200, {"id": contact["id"], "created": False})

    def _upsert_deal(self, said: dict[str, Any]) -> Reply:
        owner = said.get("user_custom_id")
        if owner is not None and not self._has(owner):
            return Reply(404, {"detail": "User not found."})
        deal = self.deals.setdefault(said["custom_id"], {"id": self._new_id()})
        self.changes += 1
        deal.update(said)
        return Reply(200, {"id": deal["id"]})

    def _create_product(self, said: dict[str, Any]) -> Reply:
        self.products.add(said["custom_id"])
        return Reply(201, {"id": self._new_id()})

    def _create_product_event(self, said: dict[str, Any], sku: str) -> Reply:
        if not self._has(said["user_custom_id"]):
            return Reply(404, {"detail": "User not found."})
        if sku not in self.products:
            if not self.kind.makes_what_is_missing:
                return Reply(404, {"detail": "Product not found."})
            self.products.add(sku)
        data = dict(said.get("data") or {})
        event = {
            "id": self._new_id(),
            "owner": said["user_custom_id"],
            "event_type": said["event_type"],
            "product": sku,
            "timestamp": _iso(said.get("timestamp")),
            "custom_data": data.pop("custom_data", {}),
        }
        self.product_events.append(event)
        self.changes += 1
        return Reply(201, {"id": event["id"]})

    def _create_event(self, said: dict[str, Any], owner: str) -> Reply:
        if not self._has(owner):
            return NOT_FOUND
        event = {
            "id": self._new_id(),
            "owner": owner,
            "name": said["name"],
            "timestamp": _iso(said.get("timestamp")),
            "data": said.get("data") or {},
        }
        self.events.append(event)
        self.changes += 1
        return Reply(201, {"id": event["id"], "created": True})

    def _merge(self, said: dict[str, Any]) -> Reply:
        if not self.kind.can_merge:
            return NOT_FOUND
        by_id = {contact["id"]: name for name, contact in self.contacts.items()}
        parent = by_id.get(said["parent"])
        if parent is None:
            return Reply(404, {"detail": "User not found."})
        for each in said["users_list"]:
            name = by_id.get(each)
            if name is not None and name != parent:
                kept = self.contacts[parent]
                self.contacts[parent] = {**self.contacts.pop(name), **kept}
                self.merged[name] = parent
        self.changes += 1
        return Reply(200, {"success": True})

    def _has(self, custom_id: str) -> bool:
        if custom_id in self.contacts:
            return True
        return self.kind.honours_keys and self.known_as(custom_id) in self.contacts

    def _contact(self, query: dict[str, str], custom_id: str) -> Reply:
        name = self.known_as(custom_id) if self.kind.honours_keys else custom_id
        return Reply(200, self.contacts[name]) if name in self.contacts else NOT_FOUND

    def _product(self, query: dict[str, str], sku: str) -> Reply:
        return Reply(200, {"id": 1, "custom_id": sku}) if sku in self.products else NOT_FOUND

    def _deal(self, query: dict[str, str], custom_id: str) -> Reply:
        deal = self.deals.get(custom_id)
        return NOT_FOUND if deal is None else Reply(200, deal)

    def _place(self, event: dict[str, Any]) -> tuple[str, int]:
        """Where an event stands in a list: newest first, by its own time or as it was created."""
        return (event["timestamp"] or "") if self.lists_by_time else "", event["id"]

    def _list(self, query: dict[str, str], custom_id: str, what: str) -> Reply:
        if not self._has(custom_id):
            return NOT_FOUND
        name = self.known_as(custom_id)
        known = [dict(e, type="product_event", client=1) for e in self.product_events]
        known += [dict(e, type="event", client=1) for e in self.events]
        known = [each for each in known if self.known_as(each.pop("owner")) == name]
        if what != "timeline":
            known = [each for each in known if f"{each.pop('type')}s" == what]
        known.sort(key=self._place, reverse=True)
        start = int(query.get("cursor") or 0)
        more = start + PAGE_SIZE if start + PAGE_SIZE < len(known) else None
        path = f"{URL}{API}/users-by-id/{custom_id}/{what}/?cursor={more}"
        page = [_shown(each) for each in known[start : start + PAGE_SIZE]]
        following = None if more is None else path
        said = {"count": len(known), "next": following, "previous": None, "results": page}
        return Reply(200, said)


def _iso(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    event.pop("product", None)
    return event


def _route(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([^/]+)", path))


_ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Reply]]] = [
    ("GET", _route(ABOUT), Endpoint._about),
    ("POST", _route(BATCH), Endpoint._batch),
    ("POST", _route(f"{API}/users/update_or_create/"), Endpoint._upsert_contact),
    ("POST", _route(f"{API}/users/merge/"), Endpoint._merge),
    ("POST", _route(f"{API}/deals/update_or_create/"), Endpoint._upsert_deal),
    ("POST", _route(f"{API}/products/"), Endpoint._create_product),
    (
        "POST",
        _route(f"{API}/products-by-id/{{sku}}/product_event/"),
        Endpoint._create_product_event,
    ),
    ("POST", _route(f"{API}/users-by-id/{{id}}/events/"), Endpoint._create_event),
    ("GET", _route(f"{API}/users-by-id/{{id}}/"), Endpoint._contact),
    ("GET", _route(f"{API}/products-by-id/{{sku}}/details/"), Endpoint._product),
    ("GET", _route(f"{API}/products-by-id/{{sku}}/"), Endpoint._product),
    ("GET", _route(f"{API}/deals-by-id/{{id}}/"), Endpoint._deal),
    *(
        (
            "GET",
            _route(f"{API}/users-by-id/{{id}}/{what}/"),
            lambda there, query, custom_id, what=what: there._list(query, custom_id, what),
        )
        for what in ("timeline", "events", "product_events")
    ),
]


def decoded(raw: bytes | None) -> dict[str, Any]:
    """Return what a request says; numbers with a fraction are Decimal."""
    said = json.loads(raw) if raw else {}
    assert isinstance(said, dict)
    return said
