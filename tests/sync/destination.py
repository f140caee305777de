"""An endpoint for tests: a real HTTP server that holds what it was told, and fails on demand."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sync_worker import TOKEN

from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.flow import desired
from ordertrail.sync.plan import Planned, plan
from ordertrail.sync.rules import Flow

PRODUCT_EVENT = re.compile(r"/api/public/products-by-id/([^/]+)/product_event/")
EVENT = re.compile(r"/api/public/users-by-id/([^/]+)/events/")

LISTING = re.compile(r"/api/public/users-by-id/([^/]+)/(product_)?events/")
CONTACT = re.compile(r"/api/public/users-by-id/([^/]+)/")
BATCH = "/api/ordertrail/v1/batch/"
PAGE = 3

Fault = Callable[[dict[str, Any]], str | None]
"""What goes wrong with a body: a status, drop, apply+drop, apply+500, hang; or None."""


def nothing(said: dict[str, Any]) -> str | None:
    return None


class Away(Exception):
    """The request is not carried out, and this is the status of the answer."""


class Destination:
    """Contacts, deals and events by what names them.

    With a workspace it is like our own platform, which carries a key out once. Without one it is
    like the hosted service, where an event that is sent twice is there twice. One that is
    `strict` answers 404 for what belongs to a contact or a product that it does not know.
    `applied` is what was carried out, in its order, without repeats.
    """

    def __init__(
        self,
        fault: Fault = nothing,
        workspace: str | None = "w-1",
        *,
        is_strict: bool = False,
        takes_batches: bool = False,
    ) -> None:
        self.fault = fault
        self.looked = nothing
        self.workspace = workspace
        self.is_strict = is_strict
        self.takes_batches = takes_batches
        self.batch_operations_max = 1_000
        self.retry_after: Callable[[], str] = lambda: "0.01"
        self.port = 0
        self.seen: list[tuple[str, Any]] = []
        self.listed: list[str] = []
        self.batches: list[int] = []
        self.faults: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.applied: list[tuple[str, Any]] = []
        self.contacts: dict[str, dict[str, Any]] = {}
        self.numbers: dict[str, int] = {}
        self.products: set[str] = set()
        self.deals: dict[str, dict[str, Any]] = {}
        self.product_events: list[tuple[str, dict[str, Any]]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.merges: list[tuple[int, list[int]]] = []
        self.under_way = 0
        self.most_under_way = 0

    def holdings(self) -> Any:
        """Everything that is held, in an order of its own."""
        lists = (sorted(each, key=repr) for each in (self.product_events, self.events))
        return self.contacts, self.deals, *lists

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port, the same one each time, and give the address."""
        app = web.Application()
        app.router.add_get("/api/ordertrail/v1/about/", self.about)
        app.router.add_get("/{path:.*}", self.look)
        app.router.add_post(BATCH, self.take_batch)
        app.router.add_post("/{path:.*}", self.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            await runner.cleanup()

    async def about(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Token {TOKEN}":
            return web.json_response({"detail": "no such key"}, status=401)
        if self.workspace is None:
            return web.json_response({"detail": "Not found."}, status=404)
        features = ["idempotency", *(["batch"] if self.takes_batches else [])]
        told = {"name": "ordertrail", "version": "1", "workspace": self.workspace}
        return web.json_response({**told, "features": features})

    async def look(self, request: web.Request) -> web.Response:
        """Show a contact, or a page of a timeline, newest first."""
        self.listed.append(request.raw_path)
        if (fault := self.looked({"path": request.path})) is not None:
            return await self.answer(request, fault)
        if found := CONTACT.fullmatch(request.path):
            if found[1] not in self.numbers:
                return await self.answer(request, "404")
            return web.json_response({"id": self.numbers[found[1]], "custom_id": found[1]})
        found = LISTING.fullmatch(request.path)
        if found is None or (self.is_strict and found[1] not in self.contacts):
            return await self.answer(request, "404")
        items = [self.item(*each) for each in self.happened(found[1], bool(found[2]))][::-1]
        start = int(request.query.get("cursor", "0"))
        further = start + PAGE < len(items)
        following = f"http://{request.host}{request.path}?cursor={start + PAGE}"
        page = {"count": len(items), "results": items[start : start + PAGE]}
        return web.json_response({**page, "next": following if further else None})

    def happened(self, contact: str, is_product: bool) -> list[tuple[int, str, dict[str, Any]]]:
        if is_product:
            all_events = [(n, *each) for n, each in enumerate(self.product_events)]
            return [each for each in all_events if each[2]["user_custom_id"] == contact]
        all_events = [(n, *each) for n, each in enumerate(self.events)]
        return [each for each in all_events if each[1] == contact]

    @staticmethod
    def item(number: int, _: str, said: dict[str, Any]) -> dict[str, Any]:
        """An event as the API shows it, its numbers as texts."""
        at = datetime.fromtimestamp(said["timestamp"], UTC).isoformat().replace("+00:00", ".000Z")
        data = said.get("data", {})
        if "name" in said:
            shown = {name: str(value) for name, value in data.items()}
            return {"id": number, "timestamp": at, "name": said["name"], "data": shown}
        event = {"id": number, "timestamp": at, "event_type": said["event_type"]}
        return {**event, "custom_data": data.get("custom_data")}

    async def take(self, request: web.Request) -> web.Response:
        said = json.loads(await request.read())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.to_thread(int)  # lets other requests arrive meanwhile
            fault = self.fault(said) or "apply"
            self.faults[fault] += 1
            self.seen.append((request.raw_path, said))
            if fault == "hang":
                await asyncio.Event().wait()
            if fault.startswith("apply"):
                self.apply(request.headers.get("Idempotency-Key"), request.raw_path, said)
            return await self.answer(request, fault.removeprefix("apply").removeprefix("+"))
        except Away as away:
            return await self.answer(request, str(away))
        finally:
            self.under_way -= 1

    async def take_batch(self, request: web.Request) -> web.Response:
        operations = json.loads(await request.read())["operations"]
        self.batches.append(len(operations))
        if len(operations) > self.batch_operations_max:
            return await self.answer(request, "413")
        whole = self.looked({"operations": operations})
        if whole is not None and not whole.startswith("apply"):
            return await self.answer(request, whole)
        results = []
        for each in operations:
            fault = self.fault(each["body"]) or "apply"
            self.faults[fault] += 1
            self.seen.append((each["path"], each["body"]))
            status = int(fault) if fault.isdigit() else 200
            if status == 200:
                try:
                    self.apply(each.get("key"), each["path"], each["body"])
                except Away as away:
                    status = int(str(away))
            said = {"id": 1} if status == 200 else {"detail": f"fault {status}"}
            results.append({"status": status, "body": said})
        if whole is not None:
            return await self.answer(request, whole.removeprefix("apply+"))
        return web.json_response({"results": results})

    async def answer(self, request: web.Request, fault: str) -> web.Response:
        if fault == "drop":
            assert request.transport
            request.transport.abort()
        if fault.isdigit():
            headers = {"retry-after": self.retry_after()} if fault == "429" else {}
            body = {"detail": f"fault {fault}"}
            return web.json_response(body, status=int(fault), headers=headers)
        return web.json_response({"id": 1})

    def apply(self, key: str | None, path: str, said: dict[str, Any]) -> None:
        if key in self.keys and self.workspace is not None:
            return
        self.check(path, said)
        if key is not None:
            self.keys.add(key)
        if (path, said) not in self.applied:
            self.applied.append((path, said))
        if found := PRODUCT_EVENT.fullmatch(path):
            self.product_events.append((found[1], said))
        elif found := EVENT.fullmatch(path):
            self.events.append((found[1], said))
        elif path == "/api/public/products/":
            self.products.add(said["custom_id"])
        elif path == "/api/public/users/merge/":
            self.merges.append((said["parent"], said["users_list"]))
        else:
            held = self.contacts if "/users/" in path else self.deals
            held.setdefault(said["custom_id"], {}).update(said)
            if held is self.contacts:
                self.numbers.setdefault(said["custom_id"], len(self.numbers) + 1)

    def check(self, path: str, said: dict[str, Any]) -> None:
        """Refuse what belongs to nobody."""
        if not self.is_strict:
            return
        found = EVENT.fullmatch(path)
        contact = found[1] if found else said.get("user_custom_id")
        if contact is not None and contact not in self.contacts:
            raise Away("404")
        if (found := PRODUCT_EVENT.fullmatch(path)) and found[1] not in self.products:
            raise Away("404")


def wanted(orders: list[Order], flow: Flow) -> Any:
    """What a destination should hold after these orders, each the latest snapshot."""
    there = Destination()
    for order in orders:
        wished = desired(order, flow)
        if wished is None:
            continue
        for operation in plan("shop", order.id, wished, Planned()).operations:
            call = operation.call
            there.apply(operation.key + order.id, call.path, json.loads(json.dumps(call.body)))
    return there.holdings()
