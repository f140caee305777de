"""`ordertrail import`: a file goes to a platform, and each row is told of."""

import contextlib
import io
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ran import Ran, Shop, run

from live import hosted
from ordertrail.commands.imports import SHOWN_MAX

TEXT = "custom_id,name,id\na,Lamp,7\nb,Chair,8\n,Table,9\n"


def write(shop: Shop, text: str = TEXT) -> str:
    path = shop.folder / "things.csv"
    path.write_text(text)
    return str(path)


def imported(shop: Shop, *words: str, token: str | None = None) -> Ran:
    there = ["--to", shop.platform.url, "--token", token or shop.platform.token]
    return run("import", *words, *there)


def test_a_file_is_written_and_its_refused_rows_are_told(shop: Shop) -> None:
    ran = imported(shop, "products", write(shop))
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "things.csv: 3 rows: 2 created, 0 changed, 0 unchanged, 1 refused",
        "  ignored columns: id",
        "  line 4: custom_id: is required: the shop's id of the product",
    ]
    again = imported(shop, "products", write(shop, TEXT.replace(",Table,9", "")))
    assert again.code == 0
    assert again.out.startswith("things.csv: 2 rows: 0 created, 0 changed, 2 unchanged, 0 refused")


@pytest.mark.parametrize("kind", ["users", "products", "deals"])
def test_a_dry_run_says_so_and_writes_nothing(shop: Shop, kind: str) -> None:
    for _ in range(2):
        ran = imported(shop, kind, write(shop, "custom_id\na\n"), "--dry-run")
        assert ran.out == (
            "things.csv: 1 row: 1 created, 0 changed, 0 unchanged, 0 refused; nothing was written\n"
        )
    assert shop.platform.origins == {"backfill"}


def test_as_json_there_is_a_line_for_each_row_and_one_with_the_totals(shop: Shop) -> None:
    *rows, last = imported(shop, "products", write(shop), "--json").lines
    assert [each["status"] for each in rows] == ["created", "created", "refused"]
    assert last["totals"]["created"] == 2


def test_a_file_may_come_from_standard_input_and_be_of_another_origin(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"custom_id\na\n")))
    ran = imported(shop, "users", "-", "--origin", "live")
    assert ran.out == "standard input: 1 row: 1 created, 0 changed, 0 unchanged, 0 refused\n"
    assert shop.platform.origins == {"live"}


def test_only_so_many_refused_rows_are_shown(shop: Shop) -> None:
    text = "custom_id,email\n" + ",no\n" * (SHOWN_MAX + 5)
    shown = imported(shop, "users", write(shop, text)).out.splitlines()
    assert shown[-1] == "  and 5 more; --json shows all"
    assert sum(each.startswith("  line ") for each in shown) == SHOWN_MAX


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["users", "nowhere.csv"], 2, "nowhere.csv: cannot be read: No such file"),
        (["people", "things.csv"], 2, "kind: 'people' is not one of users, products, deals\n"),
        (["product", "things.csv"], 2, "do you mean products?"),
        (["Orders", "things.csv"], 2, "do you mean deals?"),
        (["users", "{file}", "--origin", "nonsense"], 2, "X-Ordertrail-Origin"),
    ],
)
def test_what_was_asked_wrongly_ends_with_2_and_the_reason(
    shop: Shop, words: list[str], code: int, said: str
) -> None:
    file = write(shop, "custom_id\na\n")
    ran = imported(shop, *(word.replace("{file}", file) for word in words))
    assert ran.code == code
    assert said in ran.err


def test_a_file_whose_header_will_not_do_ends_with_2(shop: Shop) -> None:
    ran = imported(shop, "users", write(shop, "city\nYork\n"))
    assert ran.code == 2
    assert "header: names no column custom_id or email" in ran.err


def test_a_key_that_may_not_write_ends_with_77(shop: Shop) -> None:
    token = shop.platform.new_token("read")
    ran = imported(shop, "users", write(shop), token=token)
    assert ran.code == 77
    assert token not in ran.out + ran.err


def test_an_endpoint_without_imports_is_told_from_one_that_is_away(shop: Shop) -> None:
    shop.platform.before.append(hosted)
    assert imported(shop, "users", write(shop)).code == 2
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    away = run("import", "users", write(shop), "--to", f"http://127.0.0.1:{port}", "--token", "t")
    assert away.code == 75


@contextlib.contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """A server that gives this answer once, and hangs up."""

    def serve(listening: socket.socket) -> None:
        caller, _ = listening.accept()
        with caller:
            caller.recv(1 << 16)
            caller.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=[listening])
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


ROW = b'{"row":2,"status":"created","id":1}\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n24\r\n" + ROW + b"\r\n",
        HEAD + b"Content-Length: 36\r\nConnection: close\r\n\r\n" + ROW,
        HEAD + b"Content-Length: 5\r\nConnection: close\r\n\r\nnone\n",
    ],
)
def test_a_report_that_breaks_off_ends_with_75(shop: Shop, raw: Any) -> None:
    with answering(raw) as url:
        ran = run("import", "users", write(shop), "--to", url, "--token", "t")
    assert ran.code == 75
