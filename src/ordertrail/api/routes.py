"""All addresses of the API, on one screen."""

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from ordertrail.api import batch, contacts, deals, products, workspaces
from ordertrail.api.call import Answer, Handler, Platform
from ordertrail.api.gate import Endpoint, Gate, reply
from ordertrail.api.keyring import ANY
from ordertrail.api.writes import Write, alone

PUBLIC = "/api/public"
OWN = "/api/ordertrail/v1"

WRITES: dict[str, Write] = {
    f"{PUBLIC}/deals/update_or_create/": deals.UPDATE_OR_CREATE,
    f"{PUBLIC}/products/": products.CREATE,
    f"{PUBLIC}/products-by-id/{{custom_id}}/product_event/": products.CREATE_EVENT,
    f"{PUBLIC}/users/update_or_create/": contacts.UPDATE_OR_CREATE,
    f"{PUBLIC}/users-by-id/{{custom_id}}/events/": contacts.CREATE_EVENT,
}

BATCH = f"{OWN}/batch/"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    *(("POST", path, alone(write)) for path, write in WRITES.items()),
    ("POST", BATCH, batch.handler(WRITES)),
    ("GET", f"{PUBLIC}/users-by-id/{{custom_id}}/events/", contacts.list_events),
    ("GET", f"{PUBLIC}/users-by-id/{{custom_id}}/product_events/", contacts.list_product_events),
    ("GET", f"{PUBLIC}/users-by-id/{{custom_id}}/timeline/", contacts.timeline),
    ("GET", f"{PUBLIC}/users-by-id/{{custom_id}}/", contacts.read),
    ("GET", f"{PUBLIC}/users/{{id}}/events/", contacts.list_events),
    ("GET", f"{PUBLIC}/users/{{id}}/product_events/", contacts.list_product_events),
    ("GET", f"{PUBLIC}/users/{{id}}/timeline/", contacts.timeline),
    ("GET", f"{PUBLIC}/users/{{id}}/", contacts.read),
    ("GET", f"{PUBLIC}/deals-by-id/{{custom_id}}/", deals.read),
    ("GET", f"{PUBLIC}/deals/{{id}}/", deals.read),
    ("GET", f"{PUBLIC}/products-by-id/{{custom_id}}/details/", products.read),
    ("GET", f"{PUBLIC}/products-by-id/{{custom_id}}/", products.read),
    ("GET", f"{PUBLIC}/pipelines/", workspaces.list_pipelines),
    ("GET", f"{PUBLIC}/stages/", workspaces.list_stages),
    ("GET", f"{OWN}/about/", workspaces.about),
)


class Api:
    """The API as one ASGI application, for paths under `/api/`."""

    def __init__(self, platform: Platform) -> None:
        gate = Gate(platform)
        by_path: dict[str, Methods] = {}
        for method, path, handle in ROUTES:
            access = "read" if method == "GET" else "write"
            if handle is workspaces.about:
                access = ANY
            bytes_max = platform.limits.body_bytes_max
            if path == BATCH:
                bytes_max = max(bytes_max, platform.limits.batch_bytes_max)
            by_path.setdefault(path, Methods(path)).endpoints[method] = gate.endpoint(
                path, handle, access, bytes_max
            )
        self._fixed = {path: methods for path, methods in by_path.items() if "{" not in path}
        # An id of the shop may hold slashes ("AB/12"), which arrive here decoded.
        routes = [
            Route(path.replace("{custom_id}", "{custom_id:path}"), methods)
            for path, methods in by_path.items()
            if "{" in path
        ]
        self._router = Router(routes, redirect_slashes=False, default=_unknown)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"] + "/"}
        fixed = self._fixed.get(scope["path"])
        if fixed is not None:
            await fixed(scope, receive, send)
        else:
            await self._router(scope, receive, send)


class Methods:
    """The endpoints of one address, by HTTP method."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.endpoints: dict[str, Endpoint] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the endpoint of its method."""
        endpoint = self.endpoints.get(scope["method"])
        if endpoint is not None:
            await endpoint(scope, receive, send)
            return
        allowed = ", ".join(sorted(self.endpoints))
        said = {"detail": f"Method not allowed here; send one of: {allowed}."}
        scope["trace"].route = self._path
        await reply(send, Answer(said, 405, {"allow": allowed}), scope["trace"])


async def _unknown(scope: Scope, _receive: Receive, send: Send) -> None:
    said = {
        "detail": f"No such address: {scope['path'][:200]}. docs/api.md lists those that there are."
    }
    await reply(send, Answer(said, 404), scope["trace"])
