"""`make failover`: the leader of a PostgreSQL cluster dies under load; what becomes of the writes?

Sets a cluster up by Patroni and etcd on loopback, serves by two processes and one that does the
background work, lets callers make orders, holds replication up for a second, kills the leader, and
waits until writes go on. Exits with 1 when something that was answered is not there.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from bench.patroni import Cluster, cluster, missing
from bench.servers import COMMAND

DATABASE = "ordertrail"
CALLERS = 16
ANSWER_S = 15.0
GO_ON_S = 120.0
PAUSE_S = 0.05
BEHIND_S = 1.0
"""For how long the other servers have received nothing when the leader dies."""


@dataclass
class Load:
    """Callers that make an order after the other, and what they were answered."""

    port: int
    token: str
    answered: list[tuple[float, str]] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    unanswered: int = 0
    is_over: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self) -> None:
        """Make orders until it is over; what is not answered well is sent no second time."""
        while not self.is_over:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
            try:
                while not self.is_over:
                    self._make_order(line)
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                time.sleep(PAUSE_S)
            finally:
                line.close()

    def _make_order(self, line: http.client.HTTPConnection) -> None:
        custom_id = f"O-{next(self.numbers)}"
        body = json.dumps({"custom_id": custom_id, "name": "Order", "value": 1})
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        line.request("POST", "/api/public/deals/update_or_create/", body, headers)
        answer = line.getresponse()
        answer.read()
        if answer.status in (200, 201):
            self.answered.append((time.monotonic(), custom_id))
            return
        self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
        time.sleep(PAUSE_S)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.call) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over = True
            for thread in threads:
                thread.join(2 * ANSWER_S)

    def gap_around(self, at: float) -> float:
        """Return how long nobody was answered, from before a moment to after it."""
        moments = sorted(moment for moment, _ in list(self.answered))
        return max((b - a for a, b in itertools.pairwise(moments) if b > at), default=0.0)

    def goes_on_after(self, at: float) -> bool:
        return sum(moment > at for moment, _ in list(self.answered)[-100:]) > 50


@contextlib.contextmanager
def serving(url: str) -> Iterator[Load]:
    """Serve the database, and do its background work, by processes of their own."""
    environment = {**os.environ, "ORDERTRAIL_DATABASE_URL": url, "ORDERTRAIL_BACKGROUND": "false"}
    made = subprocess.run(
        [*COMMAND, "keys", "create", "--name", "failover", "--json"],
        env=environment,
        capture_output=True,
        check=True,
    )
    started = [
        subprocess.Popen(
            [*COMMAND, *words.split()],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for words in ("serve --workers 2 --port 0", "work")
    ]
    try:
        assert started[0].stdout
        found = re.search(r":(\d+)$", started[0].stdout.readline().strip())
        assert found, "the server did not say its address"
        yield Load(int(found[1]), json.loads(made.stdout)["token"])
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def kept(url: str) -> set[str]:
    """Return the orders that are there."""
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT custom_id FROM deals")}


def measure(servers: Cluster, seconds: float) -> int:
    """Kill the leader under load, print what came of it, and return how many writes were lost."""
    with psycopg.connect(servers.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = servers.url(DATABASE)
    with serving(url) as load:
        with load.running():
            time.sleep(seconds)
            servers.lose_leader(BEHIND_S)
            at = time.monotonic()
            while not load.goes_on_after(at + 1.0) and time.monotonic() < at + GO_ON_S:
                time.sleep(PAUSE_S)
            time.sleep(seconds)
        lost = {custom_id for _, custom_id in load.answered} - kept(url)
        after = sum(moment > at for moment, _ in load.answered)
        print(f"answered: {len(load.answered):,} writes, {after:,} of them after the leader died")
        print(f"longest time without an answer: {load.gap_around(at):.1f} s")
        print(f"refused by status: {load.refused}; not answered: {load.unanswered}")
        print(f"answered and lost: {len(lost)}", flush=True)
        return len(lost) if after else len(load.answered)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.failover", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="load before and after")
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--asynchronous", action="store_true", help="wait for no second server")
    wanted = parser.parse_args()
    if needed := missing():
        sys.exit(f"please install first: {', '.join(needed)} (Debian: patroni etcd-server)")
    with cluster(wanted.servers, is_synchronous=not wanted.asynchronous) as servers:
        sys.exit(int(measure(servers, wanted.seconds) > 0))


if __name__ == "__main__":
    main()
