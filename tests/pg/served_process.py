"""`ordertrail serve` as a process of its own on a PostgreSQL, and callers that remember answers."""

import contextlib
import http.client
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ordertrail import cli

COMMAND = [sys.executable, "-m", "ordertrail"]
SECRET = "hunter2"
WAITS_MAX = 600
PAUSE_S = 0.05


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """A connection to the server; one that was ended is made again."""

    def __init__(self, port: int, token: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Token {token}", "Accept": "*/*; version=2"}

    def ask(self, method: str, path: str, said: Any = None) -> Reply:
        body = None if said is None else json.dumps(said)
        self._http.request(method, path, body, self._headers)
        answer = self._http.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, answer.read())

    def close(self) -> None:
        self._http.close()


@dataclass
class Site:
    """A running server, and what it printed when it began."""

    process: "subprocess.Popen[str]"
    port: int
    said: str
    complaints: Path

    def ask(self, method: str, path: str, said: Any = None, token: str = "t" * 64) -> Reply:
        with contextlib.closing(Line(self.port, token)) as line:
            return line.ask(method, path, said)

    def until_ready(self) -> None:
        until(lambda: self.ask("GET", "/readyz").status == 200)

    def stop(self) -> str:
        """Stop it, and return what it complained of."""
        self.process.terminate()
        self.process.communicate(timeout=30)
        return self.complaints.read_text()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, half a minute at most."""
    pause = threading.Event()
    for _ in range(WAITS_MAX):
        if is_so():
            return
        pause.wait(PAUSE_S)
    raise AssertionError("it never came to be")


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "ORDERTRAIL_DATABASE_URL": url}


@contextlib.contextmanager
def serving(url: str) -> Iterator[Site]:
    """Serve the database at an address until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        complaints = Path(folder) / "stderr"
        with complaints.open("w") as stderr:
            process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0"],
                env=environment(url),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        try:
            assert process.stdout
            said = process.stdout.readline() + process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", said)
            assert found, said
            yield Site(process, int(found[1]), said, complaints)
        finally:
            process.kill()
            process.communicate()


def new_token(url: str) -> str:
    made = run(url, "keys", "create", "--name", "test", "--json")
    token: str = json.loads(made.out)["token"]
    return token


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def run(url: str, *words: str) -> Ran:
    """Run a command on the database at an address."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([*words, "--database", url])
    return Ran(code, out.getvalue(), err.getvalue())


def serve_in_vain(url: str) -> Ran:
    """Serve the database at an address, which is refused at once."""
    done = subprocess.run(
        [*COMMAND, "serve", "--port", "0"],
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def with_secret(url: str) -> str:
    """Return the address with a password in it, which a server that trusts all does not look at."""
    return url.replace("postgres@", f"postgres:{SECRET}@")
