"""Deal upserts over HTTP: two lines each, durable, against what the server can answer at all.

One server process on SQLite, a load generator on the same machine. The echo is `GET /healthz` of
the same server over the same connections: what HTTP alone costs. Every deal is placed, and later
sent again with another stage, as shops do.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "ordertrail"]
CONNECTIONS = 32
DEALS = 20_000


class Server:
    """A real server process on a fresh database."""

    def __init__(self, folder: str) -> None:
        url = f"sqlite:///{folder}/bench.db"
        self._environment = {**os.environ, "ORDERTRAIL_DATABASE_URL": url}
        made = subprocess.run(
            [*COMMAND, "keys", "create", "--name", "bench", "--json"],
            env=self._environment,
            capture_output=True,
            check=True,
        )
        self.token = json.loads(made.stdout)["token"]
        self.start()

    def start(self) -> None:
        """Serve; again, after a stop."""
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0"],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        found = re.search(r":(\d+)$", self.process.stdout.readline().strip())
        assert found, "the server did not say its address"
        self.port = int(found[1])

    def request(self, method: str, path: str, body: object = None) -> str:
        raw = "" if body is None else json.dumps(body)
        return (
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Token {self.token}\r\n"
            "Accept: */*; version=2\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n{raw}"
        )

    def load(self, requests: list[str], seconds: float, connections: int = CONNECTIONS) -> dict:
        arguments = ["127.0.0.1", str(self.port), str(connections), str(seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.load", *arguments],
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def cpu_s(self) -> float:
        """The processor time that the server has had until now, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)


def deal(number: int, stage: int) -> dict:
    skus = [f"SKU-{number % 500}", f"SKU-{(number + 7) % 500}"]
    return {
        "custom_id": f"ORD-{number}",
        "user_custom_id": f"user-{number % 1000}",
        "name": f"Order #{number}",
        "stage": stage,
        "status": stage,
        "value": 24.9 + number % 7,
        "currency": "USD",
        "delivery_cost": 9.99,
        "products_custom_id": skus,
        "order_products": [
            {"product_custom_id": skus[0], "value": 19.9, "currency": "USD", "quantity": 1},
            {"product_custom_id": skus[1], "value": 5.0 + number % 7, "quantity": 1},
        ],
    }


def people(server: Server) -> list[str]:
    """The requests that make the contacts of the deals."""
    path = "/api/public/users/update_or_create/"
    return [server.request("POST", path, {"custom_id": f"user-{n}"}) for n in range(1000)]


def upserts(server: Server) -> list[str]:
    """The requests that place deals, and send each again with another stage."""
    rng = random.Random(1)
    numbers = [n - back for n in range(DEALS) for back in (0, rng.randrange(200)) if n >= back]
    path = "/api/public/deals/update_or_create/"
    seen: set[int] = set()
    made = []
    for number in numbers:
        made.append(server.request("POST", path, deal(number, 2 if number in seen else 1)))
        seen.add(number)
    return made


def run(seconds: float) -> dict:
    """Measure the echo, the upserts, the echo again; then one lone client."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        server.load(people(server), 1.0)
        deals = upserts(server)
        echo = [server.request("GET", "/healthz")]
        before = server.load(echo, seconds / 2)
        upserted = server.load(deals, seconds)
        after = server.load(echo, seconds / 2)
        alone = server.load(deals, seconds / 2, connections=1)
        time.sleep(0.2)
        size = Path(folder, "bench.db").stat().st_size
        server.stop()
    echoed = (before["requests_per_s"] + after["requests_per_s"]) / 2
    return {
        "upserts": upserted,
        "echo_per_s": echoed,
        "ratio_to_echo": upserted["requests_per_s"] / echoed,
        "alone": alone,
        "database_bytes": size,
    }


def lines(found: dict) -> list[str]:
    upserts, alone = found["upserts"], found["alone"]
    return [
        f"upserts, 32 connections  {upserts['requests_per_s']:8,.0f}/s, {latency(upserts)}",
        f"echo, 32 connections     {found['echo_per_s']:8,.0f}/s",
        f"upserts to echo          {found['ratio_to_echo']:8.2f}",
        f"upserts, one connection  {alone['requests_per_s']:8,.0f}/s, {latency(alone)}",
    ]


def latency(found: dict) -> str:
    spread = f"p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms"
    return f"{spread}, {found['failures']} failures"
