"""All addresses of the API, and the application that answers at them."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from ordertrail.api import (
    activities,
    attributes,
    batch,
    companies,
    contact_actions,
    contact_finding,
    contact_timeline,
    contacts,
    deals,
    events,
    exports,
    groups,
    imports,
    pipelines,
    products,
    workspaces,
)
from ordertrail.api.call import Answer, Platform
from ordertrail.api.gate import Endpoint, Gate, reply
from ordertrail.api.route import Addresses, Route

ROUTES: tuple[Route, ...] = (
    *contacts.ROUTES,
    *contact_finding.ROUTES,
    *contact_actions.ROUTES,
    *contact_timeline.ROUTES,
    *deals.ROUTES,
    *products.ROUTES,
    *events.ROUTES,
    *attributes.ROUTES,
    *pipelines.ROUTES,
    *groups.ROUTES,
    *activities.ROUTES,
    *companies.ROUTES,
    *workspaces.ROUTES,
)
EVERY = (*ROUTES, batch.route(ROUTES), *imports.ROUTES, *exports.ROUTES)


class Api:
    """The API as one ASGI application, for paths under `/api/`."""

    def __init__(self, platform: Platform) -> None:
        gate = Gate(platform)
        self._addresses = Addresses(
            (route.method, route.path, gate.endpoint(route)) for route in EVERY
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._addresses.find(_wire_path(scope))
        if found is None:
            await _unknown(scope, send)
            return
        endpoints, named = found
        endpoint = endpoints.get(scope["method"])
        if endpoint is None:
            await _not_allowed(endpoints, scope, send)
        else:
            await endpoint(scope, named, receive, send)


def _wire_path(scope: Scope) -> str:
    """The path as it was sent: an encoded slash in an id is part of the id."""
    return str(scope["raw_path"].decode("latin-1"))


async def _not_allowed(endpoints: Mapping[str, Endpoint], scope: Scope, send: Send) -> None:
    allowed = ", ".join(sorted(endpoints))
    said = {"detail": f"Method not allowed here; send one of: {allowed}."}
    scope["trace"].route = next(iter(endpoints.values())).path
    await reply(send, Answer(said, 405, {"allow": allowed}), scope["trace"])


async def _unknown(scope: Scope, send: Send) -> None:
    said = {
        "detail": f"No such address: {scope['path'][:200]}. docs/api.md lists those that there are."
    }
    await reply(send, Answer(said, 404), scope["trace"])
