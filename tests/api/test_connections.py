"""On the wire: what is no request is refused, who is slow is not waited for, nothing hangs."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from sockets import Caller, Site, on_sockets

USERS = "/api/public/users/update_or_create/"
STAGES = "/api/public/stages/"
FORM = "Content-Type: application/x-www-form-urlencoded"
HEADERS_MAX = 200
HEADERS_BYTES_MAX = 32 << 10


async def in_pieces(caller: Caller, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        caller.say(data[start : start + size])
        await caller.writer.drain()


async def settled(site: Site) -> None:
    """The server has read what was sent before."""
    other = await site.call()
    for _ in range(3):
        other.say(site.head("GET", STAGES))
        await other.hear()


def of_size(site: Site, size: int) -> bytes:
    """A head of so many bytes."""
    short = site.head("GET", STAGES, "X-Long: ")
    return site.head("GET", STAGES, "X-Long: " + "x" * (size - len(short)))


async def refused(caller: Caller, status: int) -> dict[str, str]:
    reply = await caller.hear()
    assert reply.status == status, reply
    assert reply.json["detail"]
    assert reply.headers["connection"] == "close"
    assert await caller.rest() == b""
    return reply.headers


@pytest.mark.parametrize("piece", [100, 10_000, 1_000_000])
def test_a_head_may_be_so_large_and_no_larger(tmp_path: Path, piece: int) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        await in_pieces(caller, of_size(site, HEADERS_BYTES_MAX), piece)
        assert (await caller.hear()).status == 200
        await in_pieces(caller, of_size(site, HEADERS_BYTES_MAX + 1), piece)
        await refused(caller, 431)

    on_sockets(tmp_path, play)


def test_a_head_may_have_so_many_lines_and_no_more(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        lines = [f"X-{n}: {n}" for n in range(HEADERS_MAX - 2)]
        caller.say(site.head("GET", STAGES, *lines))
        assert (await caller.hear()).status == 200
        caller.say(site.head("GET", STAGES, *lines, "X-Request-ID: R-1"))
        assert (await refused(caller, 431))["x-request-id"] == "r-1"

    on_sockets(tmp_path, play)


def test_20_000_headers_are_refused_and_others_are_served(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        many, other = await site.call(), await site.call()
        many.say(site.head("GET", STAGES, *(f"X-{n}: {'v' * 50}" for n in range(20_000))))
        other.say(site.head("GET", STAGES))
        assert (await other.hear()).status == 200
        await refused(many, 431)

    on_sockets(tmp_path, play)


def test_an_endless_header_is_refused_though_its_sender_goes_on(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("GET", STAGES)[:-2] + b"X-Endless: ")
        for _ in range(64):
            caller.say(b"x" * 65_536)
        await refused(caller, 431)

    on_sockets(tmp_path, play)


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_request_is_refused(tmp_path: Path, said: bytes) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(said)
        await refused(caller, 400)

    on_sockets(tmp_path, play)


def test_headers_that_do_not_end_are_not_waited_for(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("GET", STAGES))
        assert (await caller.hear()).status == 200
        caller.say(site.head("GET", STAGES)[:-2])
        await refused(caller, 408)

    on_sockets(tmp_path, play, headers_wait_s=0.2)


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n"])
def test_a_caller_that_says_nothing_is_not_waited_for(tmp_path: Path, said: bytes) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(said)
        assert await caller.rest() == b""

    on_sockets(tmp_path, play, headers_wait_s=0.2)


def test_a_slow_trickle_of_headers_does_not_prolong_the_wait(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("GET", STAGES)[:-2])
        heard = asyncio.ensure_future(refused(caller, 408))
        while not heard.done():
            caller.say(b"X-More: a\r\n")
            await asyncio.wait({heard}, timeout=0.05)
        await heard

    on_sockets(tmp_path, play, headers_wait_s=0.4)


def halves(site: Site) -> Sequence[bytes]:
    return (
        site.request("POST", USERS, {"custom_id": "A"})[:-1],
        site.head("POST", USERS, "Content-Length: 5"),
        site.head("POST", USERS, "Transfer-Encoding: chunked") + b'6\r\n{"cust',
        site.head("POST", USERS, "Transfer-Encoding: chunked")
        + b'12\r\n{"custom_id": "A"}\r\n',
        site.head("POST", "/console/sign-in", "Content-Length: 50", FORM) + b"email=",
    )  # fmt: skip


@pytest.mark.parametrize("which", range(5))
def test_a_body_that_stops_half_way_is_not_waited_for(
    tmp_path: Path, which: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(halves(site)[which])
        await refused(caller, 408)
        assert site.rows("contacts") == 0

    on_sockets(tmp_path, play, body_wait_s=0.2)
    assert not caplog.records


@pytest.mark.parametrize("which", range(5))
def test_who_leaves_half_way_through_a_body_gets_nothing_and_costs_no_line_in_the_log(
    tmp_path: Path, which: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(halves(site)[which])
        await caller.writer.drain()
        caller.writer.write_eof()
        assert await caller.rest() == b""
        assert site.rows("contacts") == 0

    with caplog.at_level(logging.INFO):
        on_sockets(tmp_path, play)
    assert not [each for each in caplog.records if each.levelno > logging.INFO]


def test_chunks_that_turn_into_nonsense_are_refused(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(halves(site)[2])
        await caller.writer.drain()
        caller.say(b"xxxx")
        await refused(caller, 400)
        assert site.rows("contacts") == 0

    on_sockets(tmp_path, play)


def test_a_body_that_is_too_large_is_refused_and_its_sender_gets_to_read_so(
    tmp_path: Path,
) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.request("POST", USERS, {"custom_id": "A" * (8 << 20)}))
        assert (await caller.hear()).status == 413
        assert await caller.rest() == b""

    on_sockets(tmp_path, play)


def test_a_large_body_in_many_pieces_is_taken(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        said = site.request("POST", USERS, {"custom_id": "A", "pad": "x" * 900_000})
        for _ in range(3):
            await in_pieces(caller, said, 50_000)
            assert (await caller.hear()).status == 200

    on_sockets(tmp_path, play)


def test_who_is_refused_before_the_body_came_may_finish_it_and_ask_again(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(b"POST " + USERS.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        assert (await caller.hear()).status == 401
        caller.say(b"four" + site.head("GET", STAGES))
        assert (await caller.hear()).status == 200

    on_sockets(tmp_path, play)


def test_requests_that_come_all_at_once_are_answered_in_turn(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        long = "X-Long: " + "x" * 300
        asked = [
            site.request("POST", USERS, {"custom_id": f"A{n}"}, f"X-Request-ID: {n}", long)
            for n in range(300)
        ]
        caller.say(b"".join(asked))
        replies = [await caller.hear() for _ in asked]
        assert {each.status for each in replies} == {200}
        assert [int(each.headers["x-request-id"]) for each in replies] == list(range(300))
        assert site.rows("contacts") == 300

    on_sockets(tmp_path, play)


@pytest.mark.parametrize("rest", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000])
def test_a_refusal_does_not_overtake_the_answers_that_are_owed(tmp_path: Path, rest: bytes) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        asked = [site.request("POST", USERS, {"custom_id": f"A{n}"}) for n in range(3)]
        caller.say(b"".join(asked) + rest)
        assert [(await caller.hear()).status for _ in asked] == [200, 200, 200]
        assert await caller.rest() == b""

    on_sockets(tmp_path, play)


def test_an_idle_connection_ends(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("GET", STAGES))
        assert (await caller.hear()).status == 200
        assert await caller.rest() == b""

    on_sockets(tmp_path, play, idle_wait_s=1)


def test_who_does_not_take_its_answers_is_left(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.writer.transport.pause_reading()
        asked = site.head("GET", "/console/static/0/console.css") * 1_000

        async def go_on() -> None:
            while True:
                caller.say(asked)
                await caller.writer.drain()

        with pytest.raises(ConnectionError):
            await go_on()

    on_sockets(tmp_path, play, body_wait_s=0.3)


def test_one_connection_too_many_is_told_so(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        first, second = await site.call(), await site.call()
        for caller in (first, second):
            caller.say(site.head("GET", STAGES))
            assert (await caller.hear()).status == 200
        await refused(await site.call(), 503)
        first.say(site.head("GET", STAGES))
        assert (await first.hear()).status == 200
        second.writer.close()
        await second.writer.wait_closed()
        first.say(site.head("GET", STAGES))
        await first.hear()
        third = await site.call()
        third.say(site.head("GET", STAGES))
        assert (await third.hear()).status == 200

    on_sockets(tmp_path, play, files_max=102)


def test_who_asks_for_another_protocol_is_answered_in_this_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("GET", STAGES, "Connection: Upgrade", "Upgrade: websocket"))
        assert (await caller.hear()).status == 200
        assert await caller.rest() == b""

    on_sockets(tmp_path, play)
    assert not caplog.records


def test_requests_that_wait_for_their_turn_are_not_read_without_end(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        asked = 20 * [site.head("GET", STAGES) * 1_000]
        for each in asked:
            caller.say(each)
        for _ in range(1_000):
            await caller.hear()
        [connection] = site.server.server_state.connections
        assert len(connection.pipeline) < 256 * 1024 / len(site.head("GET", STAGES))

    on_sockets(tmp_path, play)


def test_the_rest_of_a_head_is_waited_for_from_the_answer_before_it(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("GET", STAGES) + site.head("GET", STAGES)[:-2])
        assert (await caller.hear()).status == 200
        await refused(caller, 408)

    on_sockets(tmp_path, play, headers_wait_s=0.2)


def test_a_body_that_came_whole_is_not_waited_for_any_more(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        whole = site.request("POST", USERS, {"custom_id": "A"}, "Expect: 100-continue")
        caller.say(whole[:-5])
        assert await caller.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.say(whole[-5:])
        assert (await caller.hear()).status == 200
        rest = asyncio.ensure_future(caller.rest())
        await asyncio.wait({rest}, timeout=0.5)
        assert not rest.done()
        rest.cancel()

    on_sockets(tmp_path, play, body_wait_s=0.2)


def test_the_body_before_a_head_does_not_count_as_part_of_it(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        first = site.request("POST", USERS, {"custom_id": "A", "pad": "x" * 60_000})
        both = first + of_size(site, HEADERS_BYTES_MAX)
        for piece in (both[:40_000], both[40_000 : len(first) + 9_000], both[len(first) + 9_000 :]):
            caller.say(piece)
            await caller.writer.drain()
            await settled(site)
        assert [(await caller.hear()).status for _ in range(2)] == [200, 200]

    on_sockets(tmp_path, play)


def test_trailers_are_no_headers(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        body = (
            b'12\r\n{"custom_id": "A"}\r\n0\r\nX-Request-ID: R-2\r\nX-Ordertrail-Origin: no\r\n\r\n'
        )
        caller.say(
            site.head("POST", USERS, "Transfer-Encoding: chunked", "X-Request-ID: R-1") + body
        )
        reply = await caller.hear()
        assert (reply.status, reply.headers["x-request-id"]) == (200, "r-1")

    on_sockets(tmp_path, play)


@pytest.mark.parametrize("end", [b"0\r\nX-Endless: ", b"0\r\n", b"1;extension="])
def test_endless_trailers_are_refused(tmp_path: Path, end: bytes) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("POST", USERS, "Transfer-Encoding: chunked") + end)
        for _ in range(64):
            caller.say(b"X-More: x\r\n" * 3_000 if end == b"0\r\n" else b"x" * 33_000)
        await refused(caller, 431)
        assert site.rows("contacts") == 0

    on_sockets(tmp_path, play)


def test_small_chunks_one_at_a_time_are_taken(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(site.head("POST", USERS, "Transfer-Encoding: chunked"))
        for letter in b'{"custom_id": "' + b"A" * 200 + b'"}':
            await in_pieces(caller, b"1;note=%s\r\n%c\r\n" % (b"n" * 400, letter), 300)
        caller.say(b"0\r\n\r\n")
        assert (await caller.hear()).status == 200

    on_sockets(tmp_path, play)


def test_the_rest_of_a_refused_body_is_not_read_without_end(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        caller = await site.call()
        caller.say(b"POST " + USERS.encode() + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await caller.hear()).status == 401
        for _ in range(64):
            caller.say(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        assert await caller.rest() == b""

    on_sockets(tmp_path, play)
