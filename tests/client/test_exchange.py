"""The client over an exchange that is made up: what goes out, and what each answer means."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.client import answers, calls
from ordertrail.client.answers import Answer
from ordertrail.client.calls import Call
from ordertrail.client.client import Client, Item, idempotency_key, pages
from ordertrail.client.exchange import NotSent, Request
from ordertrail.domain.errors import Conflict, Invalid, NotFound, Refused, Unavailable

TOKEN = "t" * 64
URL = "https://acme.user.com/shop"
EVENTS = calls.list_events("ada")
CALL = Call("POST", "/api/public/x/", {"a": 1})


class Network:
    """Gives the answers it was told, in order, and keeps what was asked."""

    def __init__(self, *replies: Answer | Exception) -> None:
        self._replies = list(replies)
        self.asked: list[Request] = []

    async def exchange(self, request: Request) -> Answer:
        self.asked.append(request)
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def told(said: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(said).encode())


def use(network: Network, work: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Client(URL, TOKEN, exchange=network.exchange) as client:
            return await work(client)

    return asyncio.run(run())


def batch(network: Network, items: Sequence[Item]) -> list[Any]:
    results: list[Any] = use(network, lambda client: client.send_batch(items))
    return results


def listed(network: Network, pages_max: int = 10, call: Call = EVENTS) -> list[Any]:
    async def work(client: Client) -> list[Any]:
        return [page async for page in pages(client.send, call, pages_max)]

    found: list[Any] = use(network, work)
    return found


def test_a_request_is_all_that_the_network_has_to_know() -> None:
    network = Network(told({"id": 1}))
    assert use(network, lambda client: client.send(CALL, "k", origin="backfill")) == {"id": 1}
    assert network.asked == [
        Request(
            "POST",
            f"{URL}/api/public/x/",
            {
                "Authorization": f"Token {TOKEN}",
                "Accept": "*/*; version=2",
                "Content-Type": "application/json",
                "Idempotency-Key": idempotency_key("k"),
                "X-Ordertrail-Origin": "backfill",
            },
            b'{"a":1}',
        )
    ]


def test_what_happens_now_needs_no_origin() -> None:
    network = Network(told({}), told({}))

    async def work(client: Client) -> None:
        await client.send(CALL, origin="live")
        await client.send(CALL)

    use(network, work)
    assert not [each for each in network.asked if "X-Ordertrail-Origin" in each.headers]


@pytest.mark.parametrize(
    ("error", "is_unsure"),
    [
        (ConnectionRefusedError(), False),
        (NotSent("no route"), False),
        (socket.gaierror("no such host"), False),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (BrokenPipeError(), True),
        (OSError("cable"), True),
    ],
)
def test_no_answer_tells_whether_the_call_may_have_arrived(error: OSError, is_unsure: bool) -> None:
    with pytest.raises(Unavailable, match=URL) as caught:
        use(Network(error), lambda client: client.send(CALL))
    failure = caught.value
    assert (failure.is_unsure, failure.is_busy, failure.is_throttled) == (is_unsure, False, False)


def test_who_says_that_it_is_unavailable_is_believed() -> None:
    with pytest.raises(Unavailable, match="asleep") as caught:
        use(Network(Unavailable("asleep", 7)), lambda client: client.send(CALL))
    assert caught.value.retry_after_s == 7


def test_a_connection_that_is_refused_was_not_sent_over() -> None:
    async def work() -> None:
        async with Client("http://127.0.0.1:1", TOKEN) as client:
            await client.send(CALL)

    with pytest.raises(Unavailable) as caught:
        asyncio.run(work())
    assert not caught.value.is_unsure


def test_a_good_status_without_json_may_be_a_call_carried_out() -> None:
    with pytest.raises(Unavailable) as caught:
        use(Network(Answer(200, b"<html>")), lambda client: client.send(CALL))
    assert caught.value.is_unsure


@pytest.mark.parametrize(
    "raw", [b'{"a":"x\\u0000y"}', b'{"a":0.123456789012345678901}', b"[" * 40 + b"]" * 40]
)
def test_an_answer_may_hold_what_we_would_not_keep(raw: bytes) -> None:
    assert use(Network(Answer(200, raw)), lambda client: client.send(CALL))


def test_a_batch_says_each_call_with_its_key() -> None:
    network = Network(told({"results": [{"status": 201, "body": {"id": 1}}] * 2}))
    items = [Item(CALL, "a:1:order"), Item(Call("POST", "/api/public/y/"))]
    assert batch(network, items) == [{"id": 1}, {"id": 1}]
    [request] = network.asked
    assert (request.method, request.url) == ("POST", f"{URL}/api/ordertrail/v1/batch/")
    key = idempotency_key("a:1:order")
    assert request.body is not None
    assert json.loads(request.body) == {
        "operations": [
            {"method": "POST", "path": "/api/public/x/", "body": {"a": 1}, "key": key},
            {"method": "POST", "path": "/api/public/y/", "body": {}},
        ]
    }


def test_each_result_of_a_batch_means_what_it_would_alone() -> None:
    said = [
        (200, {"id": 1}),
        (204, None),
        (400, {"detail": "no", "errors": {"stage": ["no stage 9"]}}),
        (404, {"detail": f"no contact of {TOKEN}"}),
        (409, {}),
        (405, {"detail": "no"}),
        (429, {"detail": "slow down"}),
        (503, {"detail": "later"}),
        (500, {"detail": "fault"}),
    ]
    results = batch(
        Network(told({"results": [{"status": s, "body": b} for s, b in said]})), [Item(CALL)] * 9
    )
    assert results[:2] == [{"id": 1}, None]
    assert [type(each) for each in results[2:]] == [
        Invalid, NotFound, Conflict, Refused, Unavailable, Unavailable, Unavailable,
    ]  # fmt: skip
    assert results[2].fields == {"stage": "no stage 9"}
    assert "***" in str(results[3])
    assert TOKEN not in str(results[3])
    assert [each.is_throttled for each in results[6:]] == [True, False, False]
    assert [each.is_busy for each in results[6:]] == [True, True, False]
    assert [each.is_unsure for each in results[6:]] == [False, False, True]


@pytest.mark.parametrize(
    "answer",
    [
        told({"results": []}),
        told({"results": [{"status": 200, "body": {}}] * 3}),
        told({"results": None}),
        told({}),
        told([]),
        Answer(200, b""),
        Answer(200, b"<html>"),
    ],
)
def test_a_batch_whose_answer_does_not_fit_may_have_been_carried_out(answer: Answer) -> None:
    with pytest.raises(Unavailable) as caught:
        batch(Network(answer), [Item(CALL)] * 2)
    assert caught.value.is_unsure


@pytest.mark.parametrize("result", [None, 7, {}, {"status": "200"}, {"status": None}, [200]])
def test_a_result_that_says_nothing_leaves_its_call_unsure(result: Any) -> None:
    good = {"status": 200, "body": {"id": 1}}
    first, second = batch(Network(told({"results": [result, good]})), [Item(CALL)] * 2)
    assert isinstance(first, Unavailable)
    assert first.is_unsure
    assert second == {"id": 1}


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (413, Refused), (503, Unavailable)])
def test_a_batch_that_fails_as_a_whole_is_raised(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        batch(Network(told({"detail": "no"}, status)), [Item(CALL)])


def page(number: int, following: str | None) -> Answer:
    return told({"count": 9, "next": following, "previous": None, "results": [number]})


def test_a_list_is_read_page_by_page_with_its_links_as_they_are() -> None:
    path = "/api/public/users-by-id/ada/events/"
    network = Network(
        page(1, f"{URL}{path}?cursor=a%3D%3D&x=1"), page(2, f"{path}?cursor=3"), page(3, None)
    )
    assert listed(network) == [[1], [2], [3]]
    assert [each.url.removeprefix(URL + path) for each in network.asked] == [
        "", "?cursor=a%3D%3D&x=1", "?cursor=3",
    ]  # fmt: skip
    assert {each.method for each in network.asked} == {"GET"}


def test_a_link_to_another_host_does_not_carry_the_key_there() -> None:
    network = Network(page(1, "http://evil.test/api/public/z/?cursor=2"), page(2, None))
    assert listed(network) == [[1], [2]]
    assert network.asked[1].url == f"{URL}/api/public/z/?cursor=2"


def test_a_next_page_that_is_not_there_is_an_empty_last_one() -> None:
    network = Network(page(1, f"{URL}/?cursor=2"), told({"detail": "Not found."}, 404))
    assert listed(network) == [[1]]


def test_a_list_that_is_not_there_at_all_is_not_found() -> None:
    with pytest.raises(NotFound):
        listed(Network(told({"detail": "Not found."}, 404)))


def test_a_plain_list_is_one_page() -> None:
    stages = [{"id": 1, "name": "New"}]
    assert listed(Network(told(stages)), call=calls.list_stages()) == [stages]


def test_a_list_without_end_is_refused() -> None:
    network = Network(*[page(1, f"{URL}/?cursor=1")] * 3)
    with pytest.raises(Refused, match="more than 3 pages"):
        listed(network, pages_max=3)


@pytest.mark.parametrize("said", [{}, {"results": {}}, 7, None, "page"])
def test_what_is_no_list_is_somebody_else_answering(said: Any) -> None:
    with pytest.raises(Unavailable):
        listed(Network(told(said)))


@pytest.mark.parametrize(
    ("features", "known"),
    [
        (["batch", "idempotency"], {"batch", "idempotency"}),
        ([], set()),
        (None, set()),
        ("batch", set()),
    ],
)
def test_what_an_endpoint_offers_is_told(features: Any, known: set[str]) -> None:
    said = {"name": "ordertrail", "version": "1", "workspace": "w", "features": features}
    about = use(Network(told(said)), lambda client: client.about())
    assert about.features == known


def test_a_client_outside_of_its_block_makes_no_call() -> None:
    client = Client(URL, TOKEN, exchange=Network().exchange)
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(client.send(CALL))


@pytest.mark.parametrize(
    "until",
    [
        "sun, 06 nov 1994 08:49:47 gmt",
        "SUN, 06 NOV 1994 08:49:47 GMT",
        "Sunday, 06-Nov-94 08:49:47 GMT",
        "Sun Nov  6 08:49:47 1994",
        " Sun, 06 Nov 1994 09:49:47 +0100 ",
    ],
)
def test_a_date_to_wait_for_is_read_in_any_spelling(until: str) -> None:
    assert answers.seconds_to_wait(until, "sun, 06 Nov 1994 08:49:37 GMT") == 10.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_to_wait_for_is_read_or_nothing(retry_after: str, date: str) -> None:
    wait_s = answers.seconds_to_wait(retry_after, date)
    assert wait_s is None or wait_s >= 0


@given(st.integers(0, 99), st.integers(0, 99999), st.integers(-(10**12), 10**12))
def test_any_date_to_wait_for_is_read_or_nothing(day: int, year: int, zone: int) -> None:
    text = f"Sun, {day} Nov {year} 08:49:47 {zone:+05d}"
    wait_s = answers.seconds_to_wait(text, "Sun, 06 Nov 1994 08:49:37 GMT")
    assert wait_s is None or wait_s >= 0


def test_a_connection_that_does_not_come_about_was_not_sent_over() -> None:
    async def work(port: int) -> None:
        async with Client(f"http://127.0.0.1:{port}", TOKEN, timeout_s=0.4) as client:
            await client.send(CALL)

    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(Unavailable, match="ConnectionTimeoutError") as caught:
            asyncio.run(work(full.getsockname()[1]))
    assert not caught.value.is_unsure
