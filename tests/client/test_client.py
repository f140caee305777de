import asyncio
import threading
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from ordertrail.client import answers
from ordertrail.client.answers import About, Answer
from ordertrail.client.calls import Call
from ordertrail.client.client import Client, idempotency_key, normalised
from ordertrail.client.exchange import ANSWER_BYTES_MAX
from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)

TOKEN = "t0ken" * 12 + "1234"
CALL = Call(
    "POST", "/api/public/products-by-id/a%2Fb%20c/product_event/", {"value": Decimal("1.50")}
)
ASKED_AT = "Sun, 06 Nov 1994 08:49:37 GMT"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Use = Callable[[Client], Awaitable[Any]]


def talk(handler: Handler, use: Use, **options: Any) -> Any:
    """Answer with the handler over a real socket while the client is used."""

    async def both() -> Any:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            async with Client(f"http://{host}:{port}/", TOKEN, **options) as client:
                return await use(client)
        finally:
            await runner.cleanup()

    return asyncio.run(both())


def send(handler: Handler, **options: Any) -> Any:
    return talk(handler, lambda client: client.send(CALL), **options)


def answering(status: int, body: bytes = b"{}", **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=named)

    return handler


def test_a_call_says_who_asks_in_which_version_and_what() -> None:
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen.append((request.method, request.raw_path, headers, await request.read()))
        return web.json_response({"id": 388}, status=201)

    assert talk(handler, lambda client: client.send(CALL, "shop:1:order:a")) == {"id": 388}
    ((method, path, headers, body),) = seen
    assert (method, path) == ("POST", CALL.path)
    assert headers["authorization"] == f"Token {TOKEN}"
    assert headers["accept"] == "*/*; version=2"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == idempotency_key("shop:1:order:a")
    assert body == b'{"value":1.50}'


def test_an_operation_key_becomes_forty_characters_that_never_change() -> None:
    assert len(idempotency_key("ü" * 500)) == 40
    assert idempotency_key("a") == "ca978112ca1bca978112ca1bbdcafac231b39a23"
    one, other = idempotency_key("shop:1:order:a"), idempotency_key("shop:1:purchase:b")
    assert one != other
    assert one[:12] == other[:12] != idempotency_key("shop:2:order:a")[:12]


def test_without_an_operation_key_no_header_is_sent() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response("Idempotency-Key" in request.headers)

    assert send(handler) is False


def test_numbers_of_an_answer_keep_their_digits() -> None:
    assert send(answering(200, b'{"value": 149.90}')) == {"value": Decimal("149.90")}


def test_an_empty_good_answer_is_nothing() -> None:
    assert send(answering(204, b"")) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthorised),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, Refused),
        (301, Refused),
        (408, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_status_becomes_what_the_caller_can_do(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        send(answering(status, b'{"detail": "because"}', Location="http://127.0.0.1:1/"))
    assert type(caught.value) is kind
    assert "because" in str(caught.value)


def test_wrong_fields_are_named() -> None:
    with pytest.raises(Invalid) as caught:
        send(answering(400, b'{"errors": {"stage": ["no stage 9", "try 1"]}}'))
    assert caught.value.fields == {"stage": "no stage 9; try 1"}


def test_a_page_instead_of_json_is_shown_cut_short() -> None:
    page = b"<html>\n" + b"<p>Bad   Gateway</p>" * 10_000
    with pytest.raises(Unavailable, match="HTTP status 502 <html> <p>Bad Gateway</p>") as caught:
        send(answering(502, page))
    assert len(str(caught.value)) < 300


def test_a_good_status_with_a_page_is_somebody_else_answering() -> None:
    with pytest.raises(Unavailable, match="not JSON but: <html>"):
        send(answering(200, b"<html>Welcome</html>"))


@pytest.mark.parametrize("body", [TOKEN.encode(), b'{"detail": "%s"}' % TOKEN.encode()])
def test_a_token_is_never_repeated(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        send(answering(400, body))
    assert TOKEN not in str(caught.value)
    assert "***" in str(caught.value)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(Unavailable, match="longer than"):
        send(answering(200, b" " * (ANSWER_BYTES_MAX + 1)))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"Retry_After": "0.5"}, 0.5),
        ({"RETRY_AFTER": "Sun, 06 Nov 1994 08:49:47 GMT", "Date": ASKED_AT}, 10.0),
        ({"retry_after": "Sun, 06 Nov 1994 08:49:27 GMT", "Date": ASKED_AT}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(Unavailable) as caught:
        send(answering(429, b'{"detail": "Request was throttled."}', **headers))
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize("text", ["1e400", "nan", "inf", "9" * 400, "Sun, 99 Nov 1994 08:49 GMT"])
def test_a_wait_that_makes_no_sense_is_none(text: str) -> None:
    assert answers.seconds_to_wait(text, ASKED_AT) is None


def test_a_date_without_the_answers_own_date_tells_no_wait() -> None:
    assert answers.seconds_to_wait("Sun, 06 Nov 1994 08:49:47 GMT", None) is None


def test_nobody_there_is_unavailable() -> None:
    async def use() -> None:
        async with Client("http://127.0.0.1:1", TOKEN) as client:
            await client.send(CALL)

    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1"):
        asyncio.run(use())


def test_a_connection_that_breaks_is_unavailable() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    with pytest.raises(Unavailable):
        send(handler)


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport
        request.transport.abort()
        return response

    with pytest.raises(Unavailable):
        send(handler)


def test_an_answer_that_does_not_come_is_unavailable() -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    with pytest.raises(Unavailable, match="TimeoutError"):
        send(handler, timeout_s=0.05)


def test_no_more_calls_than_connections_and_waiting_for_a_turn_is_not_timed() -> None:
    under_way = most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.to_thread(threading.Event().wait, 0.06)
        under_way -= 1
        return web.json_response({})

    async def use(client: Client) -> list[Any]:
        return await asyncio.gather(*(client.send(CALL) for _ in range(10)))

    assert len(talk(handler, use, connections_max=2, timeout_s=0.25)) == 10
    assert most == 2


def test_one_connection_carries_many_calls() -> None:
    peers = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response({})

    async def use(client: Client) -> None:
        for _ in range(5):
            await client.send(CALL)

    talk(handler, use)
    assert len(peers) == 1


def test_our_platform_tells_who_it_is() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("GET", "/api/ordertrail/v1/about/")
        return web.json_response({"name": "ordertrail", "version": "1", "workspace": "w-1"})

    assert talk(handler, lambda client: client.about()) == About("ordertrail", "1", "w-1")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"detail": "Not found."}'),
        (404, b"<html>"),
        (405, b"{}"),
        (302, b""),
        (200, b"<html>"),
        (200, b"[1]"),
        (200, b'{"name": "other"}'),
        (200, b""),
    ],
)
def test_any_other_endpoint_does_not(status: int, body: bytes) -> None:
    assert talk(answering(status, body), lambda client: client.about()) is None


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorised), (403, Forbidden), (503, Unavailable)]
)
def test_who_may_not_ask_is_told_so(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        talk(answering(status), lambda client: client.about())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://acme.user.com", "https://acme.user.com"),
        ("https://ACME.user.com/", "https://acme.user.com"),
        (" HTTP://localhost:8000// ", "http://localhost:8000"),
        ("http://[::1]:8000/sub/", "http://[::1]:8000/sub"),
    ],
)
def test_an_address_has_one_spelling(url: str, shown: str) -> None:
    assert normalised(url) == shown
    assert normalised(shown) == shown


@pytest.mark.parametrize(
    "url",
    ["", "acme.user.com", "//acme", "ftp://acme", "https://", "http://:80", "http://a:99999",
     "http://a:x", "http://[::1", "http://a/?b=c", "http://a/#b", "http://me:secret@acme"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="url") as caught:
        Client(url, TOKEN)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["a b", "a\nb", "ключ", "a\x7f"])
def test_what_is_no_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(Invalid, match="API key") as caught:
        Client("http://a", token)
    assert token not in str(caught.value)


def test_an_answer_knows_whether_it_is_good() -> None:
    assert [status for status in (199, 200, 299, 300) if Answer(status, b"").is_good] == [200, 299]
