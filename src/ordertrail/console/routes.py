"""Every address of the console, on one screen."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ordertrail.console import contacts, deals, home, products
from ordertrail.console.desk import HOME, Desk, Page, Show, Visit
from ordertrail.console.front import Endpoint, Front
from ordertrail.console.look import MEDIA_TYPES
from ordertrail.console.sign_in import Door
from ordertrail.domain.errors import NotFound
from ordertrail.kit.database import Reader

_A_YEAR = "public, max-age=31536000, immutable"

PAGES: dict[str, Show] = {
    "/console/": home.home,
    "/console/deals": deals.deals,
    "/console/deals/{id:int}": deals.deal,
    "/console/contacts": contacts.contacts,
    "/console/contacts/{id:int}": contacts.contact,
    "/console/products": products.products,
    "/console/products/{id:int}": products.product,
}


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the console; the last one answers every address that is left."""
    front = Front(desk)
    door = Door(front)
    return [
        Route("/", _to_home),
        Route("/console", _to_home),
        Route("/console/static/{edition}/{name}", front.guarded(_static(front))),
        Route("/console/enter", front.guarded(door.enter)),
        Route("/console/sign-in", front.guarded(door.form)),
        Route("/console/sign-in", front.guarded(door.submit), methods=["POST"]),
        Route("/console/sign-out", front.guarded(door.leave), methods=["POST"]),
        Route("/console/password", front.guarded(door.password_form)),
        Route("/console/password", front.guarded(door.choose_password), methods=["POST"]),
        *(
            Route(f"{path}{twin}", front.page(show))
            for path, show in PAGES.items()
            for twin in (".json", "")
        ),
        Route("/console/{path:path}", front.page(_nowhere)),
        Route("/{path:path}", front.guarded(_unknown)),
    ]


async def _to_home(_: Request) -> Response:
    return RedirectResponse(HOME, 303)


def _static(front: Front) -> Endpoint:
    """The files are read once; the edition in the address lets browsers keep them for ever."""

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        raw = front.look.files.get(name)
        if raw is None:
            raise NotFound("There is no such file.")
        is_current = request.path_params["edition"] == front.look.edition
        headers = {"cache-control": _A_YEAR} if is_current else {}
        return Response(raw, 200, headers, MEDIA_TYPES[f".{name.rpartition('.')[2]}"])

    return answer


def _nowhere(_: Reader, __: Visit) -> Page:
    raise NotFound("There is nothing at this address. What you look for may be one of these:")


async def _unknown(_: Request) -> Response:
    raise NotFound("There is nothing at this address.")
