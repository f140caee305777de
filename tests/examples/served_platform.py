"""A platform in a process of its own, for the shops of `examples`."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = [sys.executable, "-m", "ordertrail"]


@dataclass(frozen=True)
class Platform:
    """Where a platform listens, and a key to it."""

    url: str
    token: str

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "ORDERTRAIL_URL": self.url, "ORDERTRAIL_TOKEN": self.token}

    def get(self, path: str) -> Any:
        """What the API answers; None for what is not there."""
        headers = {"Authorization": f"Token {self.token}", "Accept": "*/*; version=2"}
        request = urllib.request.Request(f"{self.url}/api/public/{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 404:
                    raise
            return None

    def deal(self, order_id: str) -> Any:
        return self.get(f"deals-by-id/{order_id}/")

    def event_names(self, contact: str) -> list[str]:
        """What happened with a contact, oldest first."""
        events = self.get(f"users-by-id/{contact}/events/")["results"]
        products = self.get(f"users-by-id/{contact}/product_events/")["results"]
        found = [each["name"] for each in events] + [each["event_type"] for each in products]
        return sorted(found)


@contextmanager
def serving(folder: Path) -> Iterator[Platform]:
    """A platform on a database file in the folder, started and stopped."""
    environment = {**os.environ, "ORDERTRAIL_DATABASE_URL": f"sqlite:///{folder}/platform.db"}
    words = ["keys", "create", "--name", "shop", "--json"]
    made = subprocess.run(
        [*COMMAND, *words], env=environment, capture_output=True, check=True, timeout=60
    )
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        said = server.stdout.readline()
        while "http://127.0.0.1:" not in said:
            said = server.stdout.readline()
        port = said.partition("http://127.0.0.1:")[2].split("/")[0].split()[0]
        try:
            yield Platform(f"http://127.0.0.1:{port}", json.loads(made.stdout)["token"])
        finally:
            server.terminate()
            server.communicate(timeout=30)
