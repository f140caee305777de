"""The platform behind pgbouncer in transaction mode, where connections change hands."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from pooler import CONNECTIONS, pooled
from served_process import run, with_secret

import served
from asgi import Reply, Request
from ordertrail.kit.postgres import Postgres
from ordertrail.kit.postgres_connecting import connected
from postgres_server import Server
from served import Served

PUBLIC = "/api/public"
USERS = f"{PUBLIC}/users/update_or_create/"
DEALS = f"{PUBLIC}/deals/update_or_create/"
BATCH = "/api/ordertrail/v1/batch/"


@pytest.fixture(scope="module")
def port(postgres: Server) -> Iterator[int]:
    with pooled(postgres) as running:
        yield running


@pytest.fixture
def url(postgres: Server, port: int) -> Iterator[str]:
    with postgres.platform() as lent:
        yield lent.replace(f":{postgres.port}/", f":{port}/")
        with psycopg.connect(lent, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )


@pytest.fixture
def platform(url: str) -> Iterator[Served]:
    with served.serve_at(url) as running:
        yield running


def all_done(replies: list[Reply]) -> bool:
    return {reply.status for reply in replies} <= {200, 201}


def test_contacts_orders_and_their_pages(platform: Served, token: str) -> None:
    headers = {"Authorization": f"Token {token}", "Accept": "*/*; version=2"}
    for turn in range(8):
        people = [{"custom_id": f"A{n}", "first_name": f"N{turn}"} for n in range(10)]
        assert all_done(
            platform.caller.together(Request("POST", USERS, headers, json=p) for p in people)
        )
        orders = [
            {
                "custom_id": f"D{n}",
                "user_custom_id": f"A{n % 10}",
                "value": f"{turn}.50",
                "order_products": [{"product_custom_id": f"P{turn}", "value": 1}],
            }
            for n in range(20)
        ]
        assert all_done(
            platform.caller.together(Request("POST", DEALS, headers, json=o) for o in orders)
        )
        page = platform.call(token, "GET", f"{PUBLIC}/deals/").json
        assert {each["value"] for each in page["results"]} == {f"{turn}.50"}
        assert len(page["results"]) == 20
    counts = platform.counts()
    assert (counts["contacts"], counts["deals"], counts["order_products"]) == (10, 20, 20)
    assert counts["journal"] == 10 * 8 + 20 * 8 + 8
    assert isinstance(platform.database, Postgres)
    made = platform.database._connections.values()
    assert {connection.prepare_threshold for connection in made} == {None}


def test_batches_events_merges_and_deletions(platform: Served, token: str) -> None:
    for turn in range(8):
        said = [
            {"path": USERS, "body": {"custom_id": f"{turn}-{n}", "email": f"{turn}{n}@x.test"}}
            for n in range(10)
        ]
        done = platform.call(token, "POST", BATCH, {"operations": said}).json["results"]
        ids = [each["body"]["id"] for each in done]
        merged = platform.call(
            token, "POST", f"{PUBLIC}/users/merge/", {"parent": ids[0], "users_list": ids[1:4]}
        )
        assert (merged.status, merged.json["success"]) == (200, True)
        event = {"name": "seen", "data": {"turn": turn}}
        key = {"Idempotency-Key": f"K{turn}"}
        path = f"{PUBLIC}/users-by-id/{turn}-2/events/"
        first, again = (platform.call(token, "POST", path, event, headers=key) for _ in range(2))
        assert first.json["id"] == again.json["id"]
        gone = platform.call(token, "DELETE", f"{PUBLIC}/users-by-id/{turn}-9/")
        assert (gone.status, gone.json["deleted"]) == (200, True)
        assert platform.call(token, "GET", f"{PUBLIC}/users-by-id/{turn}-3/").json["id"] == ids[0]
    counts = platform.counts()
    assert (counts["contacts"], counts["events"]) == (9 * 8, 8)


def test_lists_and_tags(platform: Served, token: str) -> None:
    made = platform.call(token, "POST", f"{PUBLIC}/lists/", {"name": "Buyers"})
    assert made.status in (200, 201), made.text
    for n in range(12):
        platform.call(token, "POST", USERS, {"custom_id": f"A{n}"})
        path = f"{PUBLIC}/users-by-id/A{n}"
        listed = platform.call(token, "POST", f"{path}/add_to_list/", {"list": made.json["id"]})
        tagged = platform.call(token, "POST", f"{path}/add_tag/", {"name": f"T{n % 2}"})
        assert all_done([listed, tagged]), listed.text + tagged.text
    counts = platform.counts()
    assert (counts["list_members"], counts["tags"], counts["taggings"]) == (12, 2, 12)


def test_the_limits_of_a_transaction_hold_and_end_with_it(url: str) -> None:
    with contextlib.closing(Postgres(url, idle_limit_s=7)) as database:
        asked = "SELECT current_setting('idle_in_transaction_session_timeout')"
        assert database.write(lambda tx: tx.fetch(asked)) == [("7s",)]
    with contextlib.closing(connected(url, None)) as connection:
        assert connection.execute(asked).fetchone() == ("0",)


@pytest.mark.parametrize("place", range(CONNECTIONS))
def test_what_others_left_prepared_is_never_taken_for_ones_own(url: str, place: int) -> None:
    """One of the connections knows another statement by the name that the driver would give."""
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(psycopg.connect(url)) for _ in range(CONNECTIONS)]
        for each in others:
            each.execute("SELECT 1", prepare=False)
        others[place].execute("PREPARE _pg3_0 AS SELECT 'wrong ' || $1", prepare=False)
    with contextlib.closing(Postgres(url, prepare_threshold=0)) as database:
        for number in range(4 * CONNECTIONS):
            found = database.read(lambda r, n=number: r.fetch("SELECT :n::text", n=str(n)))
            assert found == [(str(number),)]


def test_who_is_not_let_in_is_told_so_by_the_pooler_too(url: str) -> None:
    refused = run(with_secret(url).replace("postgres:", "stranger:"), "keys", "list")
    assert (refused.code, "check user, password" in refused.err) == (2, True), refused.err
    nowhere = run(url.rpartition("/")[0] + "/nowhere", "keys", "list")
    assert (nowhere.code, "check user, password" in nowhere.err) == (2, True), nowhere.err
