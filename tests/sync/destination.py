"""An endpoint for tests: a real HTTP server that holds what it was told, and fails on demand."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from sync_worker import TOKEN

from ordertrail.domain.order import Order
from ordertrail.kit import json
from ordertrail.sync.flow import Flow, desired
from ordertrail.sync.plan import Planned, plan

PRODUCT_EVENT = re.compile(r"/api/public/products-by-id/([^/]+)/product_event/")
EVENT = re.compile(r"/api/public/users-by-id/([^/]+)/events/")

Fault = Callable[[dict[str, Any]], str | None]
"""What goes wrong with a body: a status, drop, apply+drop, apply+500, hang; or None."""


def nothing(said: dict[str, Any]) -> str | None:
    return None


class Destination:
    """Contacts, deals and events by what names them; a key is carried out once."""

    def __init__(self, fault: Fault = nothing, workspace: str | None = "w-1") -> None:
        self.fault = fault
        self.workspace = workspace
        self.port = 0
        self.seen: list[tuple[str, Any]] = []
        self.faults: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.applied: list[tuple[str, Any]] = []
        self.contacts: dict[str, dict[str, Any]] = {}
        self.deals: dict[str, dict[str, Any]] = {}
        self.product_events: list[tuple[str, dict[str, Any]]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
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
        told = {"name": "ordertrail", "version": "1", "workspace": self.workspace}
        return web.json_response(told)

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
                self.apply(request.headers["Idempotency-Key"], request.raw_path, said)
            return await self.answer(request, fault.removeprefix("apply").removeprefix("+"))
        finally:
            self.under_way -= 1

    async def answer(self, request: web.Request, fault: str) -> web.Response:
        if fault == "drop":
            assert request.transport
            request.transport.abort()
        if fault.isdigit():
            headers = {"retry-after": "0.01"} if fault == "429" else {}
            body = {"detail": f"fault {fault}"}
            return web.json_response(body, status=int(fault), headers=headers)
        return web.json_response({"id": 1})

    def apply(self, key: str, path: str, said: dict[str, Any]) -> None:
        if key in self.keys:
            return
        self.keys.add(key)
        self.applied.append((path, said))
        if found := PRODUCT_EVENT.fullmatch(path):
            self.product_events.append((found[1], said))
        elif found := EVENT.fullmatch(path):
            self.events.append((found[1], said))
        else:
            held = self.contacts if "/users/" in path else self.deals
            held.setdefault(said["custom_id"], {}).update(said)


def wanted(orders: list[Order], flow: Flow) -> Any:
    """What a destination should hold after these orders, each the latest snapshot."""
    there = Destination()
    for order in orders:
        for operation in plan("shop", order.id, desired(order, flow), Planned())[0]:
            call = operation.call
            there.apply(operation.key + order.id, call.path, json.loads(json.dumps(call.body)))
    return there.holdings()
