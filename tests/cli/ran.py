"""The command line, run in process: what it printed, and its exit code."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live import Live
from ordertrail import cli


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """What JSON Lines say."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*words: str) -> Ran:
    """Run a command; what it prints goes nowhere else."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(words)
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Shop:
    """A folder with a shop's files and an outbox, beside a platform."""

    folder: Path
    platform: Live

    @property
    def outbox(self) -> Path:
        return self.folder / "shop.outbox"

    def file(self, *orders: dict[str, Any] | str, name: str = "orders.jsonl") -> str:
        """Write a file of orders, or of lines as they are, and return its path."""
        lines = [each if isinstance(each, str) else json.dumps(each) for each in orders]
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    def run(self, command: str, *words: str, token: str | None = None) -> Ran:
        """Run a command of the sync with this shop's outbox and platform."""
        there = ["--to", self.platform.url, "--token", token or self.platform.token]
        return run(*command.split(), *words, "--outbox", str(self.outbox), *there)

    def look(self, command: str, *words: str) -> Ran:
        """Run a command that needs the outbox alone."""
        return run("outbox", command, *words, "--outbox", str(self.outbox))

    def ids(self, ran: Sequence[Any]) -> list[str]:
        return [each["order_id"] for each in ran]


def order(number: int, **more: Any) -> dict[str, Any]:
    """An order of one of three people, in pounds, fulfilled."""
    return {
        "id": f"ORD-{number}",
        "customer": {"email": f"p{number % 3}@example.com", "first_name": "Ada"},
        "placed_at": f"2026-03-{1 + number % 28:02}T10:00:00Z",
        "fulfilled_at": f"2026-03-{1 + number % 28:02}T12:00:00Z",
        "currency": "GBP",
        "lines": [
            {"sku": "LAMP", "quantity": 2, "unit_price": "12.50", "name": "Lamp"},
            {"sku": f"SKU-{number}", "quantity": 1, "unit_price": "7"},
        ],
        **more,
    }
