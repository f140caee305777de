"""Coming in: by a link that works once or by a password, choosing one, and going out."""

import asyncio
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ordertrail.actions import people, sign_in
from ordertrail.actions.people import Person
from ordertrail.console.desk import Desk, Visit
from ordertrail.console.front import COOKIE, SIGN_IN, Front, own_path
from ordertrail.console.throttle import TRIES_PER_ADDRESS_MAX, TRIES_PER_EMAIL_MAX, Tries
from ordertrail.domain.errors import Conflict, Invalid, Unauthorised, Unavailable

FORM_BYTES_MAX = 64 << 10
FORM_FIELDS_MAX = 20
CHECKS_WAITING_MAX = 8
_SESSION_BYTES = 32
_EMAIL_LENGTH_MAX = 254
_IPV6_HOME_BITS = 64


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form for e-mail and password; `onward` is where it leads."""

    template: ClassVar[str] = "sign_in.html"
    section: ClassVar[str] = ""

    onward: str
    email: str = ""
    problem: str = ""

    @property
    def title(self) -> str:
        """The page's name."""
        return "Sign in"


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """The form in which a person chooses e-mail and password; errors stand beside their field."""

    template: ClassVar[str] = "password.html"
    section: ClassVar[str] = ""

    email: str
    must_show_current: bool
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The page's name."""
        return "Your password"


class Door:
    """The endpoints by which people come in and go out."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._by_email = Tries(TRIES_PER_EMAIL_MAX)
        self._by_address = Tries(TRIES_PER_ADDRESS_MAX)
        self._one_check = asyncio.Semaphore(1)
        self._checks = 0

    @property
    def _desk(self) -> Desk:
        return self._front.desk

    async def enter(self, request: Request) -> Response:
        """GET /console/enter?code=… uses the link up; asking for its headers alone does not."""
        onward = own_path(request.query_params.get("next"))
        if request.method != "GET":
            return Response()
        session = secrets.token_urlsafe(_SESSION_BYTES)
        code = request.query_params.get("code", "")
        try:
            await self._desk.commit(
                self._desk.workspace_id, sign_in.enter, sign_in.Enter(code, session)
            )
        except Unauthorised as refused:
            if await self._front.visitor(request) is not None:
                return RedirectResponse(onward, 303)
            said = SignInPage(onward, problem=f"{refused} Sign in below, or make a new one.")
            return self._front.answer(request, said, None, 401)
        return _come_in(request, session, onward)

    async def form(self, request: Request) -> Response:
        """GET /console/sign-in shows the form; somebody who is signed in goes on at once."""
        onward = own_path(request.query_params.get("next"))
        if await self._front.visitor(request) is not None:
            return RedirectResponse(onward, 303)
        return self._front.answer(request, SignInPage(onward), None)

    async def submit(self, request: Request) -> Response:
        """POST /console/sign-in begins a session for the right password."""
        sent = await read_form(request)
        email, onward = sent.get("email", ""), own_path(sent.get("next"))
        keys = ((self._by_email, _folded(email)), (self._by_address, _address(request)))
        now = self._desk.clock()
        waits = [wait for tries, key in keys if (wait := tries.wait(key, now)) is not None]
        if waits:
            return self._too_often(request, SignInPage(onward, email), max(waits))
        for tries, key in keys:
            tries.add(key, now)
        try:
            person = await self._check(email, sent.get("password", ""))
        except Unauthorised as refused:
            page = SignInPage(onward, email, str(refused))
            return self._front.answer(request, page, None, 401)
        for tries, key in keys:
            tries.take_back(key, now)
        session = secrets.token_urlsafe(_SESSION_BYTES)
        await self._desk.commit(person.workspace_id, sign_in.begin, sign_in.Begin(person, session))
        return _come_in(request, session, onward)

    async def leave(self, request: Request) -> Response:
        """POST /console/sign-out ends the session."""
        visit, session = await self._front.visitor(request), request.cookies.get(COOKIE)
        if visit is not None and session is not None:
            await self._desk.commit(
                visit.person.workspace_id, sign_in.leave, sign_in.Leave(session)
            )
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(COOKIE, path="/console", httponly=True, samesite="lax")
        return response

    async def password_form(self, request: Request) -> Response:
        """GET /console/password shows the form."""
        visit = await self._front.visitor(request)
        if visit is None:
            return _sign_in_first()
        page = PasswordPage(_known_email(visit.person), visit.person.password_hash is not None)
        return self._front.answer(request, page, visit)

    async def choose_password(self, request: Request) -> Response:
        """POST /console/password keeps e-mail and password, or says what is wrong with them."""
        sent = await read_form(request)
        visit = await self._front.visitor(request)
        if visit is None:
            return _sign_in_first()
        email = sent.get("email", "").strip()
        try:
            await self._choose(visit, email, sent, request.cookies.get(COOKIE, ""))
        except (Invalid, Conflict, Unauthorised) as refused:
            page = PasswordPage(email, visit.person.password_hash is not None, _beside(refused))
            return self._front.answer(request, page, visit, 400)
        return RedirectResponse("/console/", 303)

    async def _choose(
        self, visit: Visit, email: str, sent: Mapping[str, str], session: str
    ) -> None:
        person = visit.person
        if person.password_hash is not None:
            await self._check_current(person, sent.get("current", ""))
        # Argon2 takes tens of milliseconds, which neither the loop nor the committer has.
        password = sent.get("password", "")
        hashed = await asyncio.to_thread(people.hash_password, email, password)
        await self._desk.commit(
            person.workspace_id, sign_in.choose, sign_in.Choose(person, email, hashed, session)
        )

    async def _check_current(self, person: Person, password: str) -> None:
        now, key = self._desk.clock(), _folded(person.email)
        if self._by_email.wait(key, now) is not None:
            raise Invalid({"current": "was wrong too often; try again in five minutes"})
        self._by_email.add(key, now)
        try:
            await self._check(person.email, password)
        except Unauthorised:
            raise Invalid({"current": "is not your password"}) from None
        self._by_email.take_back(key, now)

    async def _check(self, email: str, password: str) -> Person:
        """One check at a time, so that passwords never keep the readers from reading."""
        if self._checks >= CHECKS_WAITING_MAX:
            raise Unavailable("too many people are signing in", retry_after_s=1.0)
        self._checks += 1
        try:
            async with self._one_check:
                return await self._desk.readers.read(
                    lambda reader: people.check_password(reader, email, password)
                )
        finally:
            self._checks -= 1

    def _too_often(self, request: Request, page: SignInPage, wait: timedelta) -> Response:
        minutes = -(-wait // timedelta(minutes=1))
        unit = "minute" if minutes == 1 else "minutes"
        said = f"Too many tries. Wait {minutes} {unit}, then try again."
        told = SignInPage(page.onward, page.email, said)
        response = self._front.answer(request, told, None, 429)
        response.headers["retry-after"] = str(-(-wait // timedelta(seconds=1)))
        return response


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a urlencoded form, or raise Invalid when it is larger than any is.

    No database finds anything by a NUL, so there is none in them.
    """
    whole = b""
    async for part in request.stream():
        whole += part
        if len(whole) > FORM_BYTES_MAX:
            raise Invalid({"form": f"must have at most {FORM_BYTES_MAX} bytes"})
    try:
        pairs = parse_qsl(
            whole.decode("latin-1"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX
        )
    except ValueError:
        raise Invalid({"form": f"must have at most {FORM_FIELDS_MAX} fields"}) from None
    return {name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") for name, value in pairs}


def _come_in(request: Request, session: str, onward: str) -> Response:
    response = RedirectResponse(onward, 303)
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(people.SESSION_LIFE.total_seconds()),
        path="/console",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def _sign_in_first() -> Response:
    return RedirectResponse(f"{SIGN_IN}?next=/console/password", 303)


def _known_email(person: Person) -> str:
    return "" if person.email == people.OWNER_EMAIL else person.email


def _beside(refused: Invalid | Conflict | Unauthorised) -> Mapping[str, str]:
    return refused.fields if isinstance(refused, Invalid) else {"email": str(refused)}


def _folded(email: str) -> str:
    return email.strip().lower()[:_EMAIL_LENGTH_MAX]


def _address(request: Request) -> str:
    """Whose try it is: the address, and of IPv6 the network, which one customer has whole."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, _IPV6_HOME_BITS), strict=False))
