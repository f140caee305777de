"""Every request passes here: who asks, what is read, and how it is answered or refused."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ordertrail.actions import people, workspaces
from ordertrail.actions.people import Person
from ordertrail.console import look
from ordertrail.console.desk import HOME, NUMBER_MAX, Desk, Elsewhere, Page, Show, Visit
from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)
from ordertrail.kit import json
from ordertrail.kit.committer import Closed, QueueFull
from ordertrail.kit.database import DatabaseAway, DatabaseRefused, QueryTooSlow, Reader
from ordertrail.kit.readers import TooManyReads

COOKIE = "ordertrail_session"
SIGN_IN = "/console/sign-in"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_BUSY = (
    Unavailable,
    QueueFull,
    TooManyReads,
    Closed,
    DatabaseAway,
    DatabaseRefused,
    QueryTooSlow,
)
_STATUS = {Invalid: 400, Unauthorised: 401, Forbidden: 403, NotFound: 404, Conflict: 409}
_TITLES = {
    400: "This cannot be shown",
    401: "Sign in first",
    403: "This was refused",
    404: "Not found",
    409: "Not now",
}
_log = logging.getLogger("ordertrail.console")

Endpoint = Callable[[Request], Awaitable[Response]]
_Found = Page | Elsewhere | Refused


@dataclass(frozen=True, slots=True)
class Chrome:
    """What stands around a page: navigation, person, notice; `twin` is the address as JSON."""

    section: str
    workspace: str
    person: str
    has_password: bool
    time_zone: str
    twin: str | None


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """Why there is nothing to see, and what to do about it."""

    template: ClassVar[str] = "problem.html"
    section: ClassVar[str] = ""

    status: int
    title: str
    text: str


class Front:
    """Makes endpoints that answer with a page, or with a page that says why not."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.look = look.same()

    def page(self, show: Show) -> Endpoint:
        """Return an endpoint that shows a page, or its JSON twin, to who is signed in."""

        async def answer(request: Request) -> Response:
            found = await self._read(request, show)
            if found is None:
                return self._to_sign_in(request)
            visit, page = found
            if isinstance(page, Refused):
                problem = problem_of(page, _request_id(request))
                return self.answer(request, problem, visit, problem.status)
            if isinstance(page, Elsewhere):
                return _onward(request, page)
            return self.answer(request, page, visit)

        return self.guarded(answer)

    def guarded(self, handle: Endpoint) -> Endpoint:
        """Return the endpoint with the headers of every page; what it raises becomes a page."""

        async def answer(request: Request) -> Response:
            try:
                if request.method == "POST":
                    refuse_strangers(request)
                response = await handle(request)
            except Exception as error:
                problem = problem_of(error, _request_id(request))
                response = self.answer(request, problem, None, problem.status)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return answer

    def answer(
        self, request: Request, page: Page, visit: Visit | None, status: int = 200
    ) -> Response:
        """Return a page as HTML, or as JSON when the address asks for that."""
        path = request.url.path
        headers = {"retry-after": "1"} if status == 503 else {}
        if path.endswith(".json"):
            return Response(json.dumps(page), status, headers, "application/json")
        is_page = visit is not None and request.method != "POST" and status == 200
        twin = _twin(request) if is_page and not path.endswith("/password") else None
        context: dict[str, Any] = {"page": page, "chrome": None, "zone": ZoneInfo("UTC")}
        if visit is not None:
            context["chrome"] = _chrome(visit, page.section, twin)
            context["zone"] = look.zone(visit.workspace.time_zone)
        return HTMLResponse(self.look.render(page.template, context), status, headers)

    async def visitor(self, request: Request) -> Visit | None:
        """Return who is signed in, if anyone."""
        session = request.cookies.get(COOKIE)
        if session is None:
            return None
        return await self.desk.readers.read(
            lambda reader: _visit(reader, self.desk, request, session)
        )

    async def _read(self, request: Request, show: Show) -> tuple[Visit, _Found] | None:
        """Read person and page on one snapshot; None when nobody is signed in."""
        session = request.cookies.get(COOKIE)
        if session is None:
            return None

        def work(reader: Reader) -> tuple[Visit, _Found] | None:
            visit = _visit(reader, self.desk, request, session)
            if visit is None:
                return None
            try:
                return visit, show(reader, visit)
            except Refused as refused:
                return visit, refused

        return await self.desk.readers.read(work)

    def _to_sign_in(self, request: Request) -> Response:
        if request.url.path.endswith(".json"):
            raise Unauthorised(f"Sign in at {SIGN_IN} first.")
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        onward = "" if asked == HOME else f"?next={quote(asked, safe='/')}"
        return RedirectResponse(SIGN_IN + onward, 303)


def own_path(asked: str | None) -> str:
    """Return the address to go on to, home unless it is one of the console's own."""
    if not asked or not asked.isascii() or not asked.isprintable() or "\\" in asked:
        return HOME
    parts = urlsplit(asked)
    is_ours = asked.startswith(HOME) and not parts.netloc and ".." not in parts.path
    return asked if is_ours else HOME


def refuse_strangers(request: Request) -> None:
    """Raise Forbidden for a form that another site sent.

    `Origin: null` tells nothing: browsers say so for our own forms, because no page of ours gives
    a referrer; over plain HTTP they leave the Sec-Fetch headers out. The cookie is SameSite=Lax.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    is_other = origin != "null" and urlsplit(origin).netloc != request.headers.get("host")
    if site not in (None, "same-origin", "none") or (site is None and is_other):
        raise Forbidden("This form was sent by another site. Open it here, and send it again.")


def problem_of(error: Exception, request_id: str) -> ProblemPage:
    """Return the page that says what is wrong; an error that nobody foresaw is logged whole."""
    if isinstance(error, Refused):
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
        return ProblemPage(status, _TITLES[status], str(error))
    if isinstance(error, ClientDisconnect):
        return ProblemPage(400, _TITLES[400], "The form ended before it was complete.")
    if isinstance(error, _BUSY):
        text = "The server has too much to do, or its database is away. Reload this page."
        return ProblemPage(503, "Try again in a moment", text)
    _log.error("request %s failed", request_id, exc_info=error)
    text = f"This is a fault of the server. Its log says more under the request id {request_id}."
    return ProblemPage(500, "Something went wrong", text)


def _onward(request: Request, to: Elsewhere) -> Response:
    """The way to another page, and from a twin to its twin."""
    twin = ".json" if request.url.path.endswith(".json") else ""
    return RedirectResponse(to.address + twin, 303)


def _request_id(request: Request) -> str:
    request_id: str = request.scope["trace"].request_id
    return request_id


def _visit(reader: Reader, desk: Desk, request: Request, session: str) -> Visit | None:
    person = people.of_session(reader, desk.workspace_id, session, desk.clock())
    if person is None:
        return None
    return Visit(
        person=person,
        workspace=workspaces.get(reader, person.workspace_id),
        query=request.query_params,
        number=min(request.path_params.get("id", 0), NUMBER_MAX),
        origin=f"{request.url.scheme}://{request.url.netloc}",
    )


def _chrome(visit: Visit, section: str, twin: str | None) -> Chrome:
    return Chrome(
        section=section,
        workspace=visit.workspace.name,
        person=_called(visit.person),
        has_password=visit.person.password_hash is not None,
        time_zone=look.zone(visit.workspace.time_zone).key,
        twin=twin,
    )


def _called(person: Person) -> str:
    return "Owner" if person.email == people.OWNER_EMAIL else person.email


def _twin(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}.json{query}"
