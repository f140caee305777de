"""Processes that write: each a platform of its own on the shared database, called in process.

One says its name and its number when it is ready, begins when its standard input ends, and writes
what it was answered into a file, a line for each round.
"""

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import served
from asgi import Reply, Request

PUBLIC = "/api/public"
THINGS = 50
AT_ONCE = 6
CHANCES = {"person": 35, "deal": 45, "event": 5, "merge": 6, "no person": 3, "no deal": 6}


class Writer:
    """Decides what to ask, by a seed; each change bears a mark that nobody else writes."""

    def __init__(self, name: str, token: str) -> None:
        self._name = name
        self._chance = random.Random(name)
        self._headers = {"Authorization": f"Token {token}", "Accept": "*/*; version=2"}
        self._marks = 0
        self._known: list[int] = []

    def asked(self) -> Iterator[tuple[str, str, Request]]:
        """Some requests, each with its kind and its mark."""
        for kind in self._chance.choices([*CHANCES], [*CHANCES.values()], k=AT_ONCE):
            self._marks += 1
            mark = f"{self._name}.{self._marks}"
            method, path, body = self._one(kind, mark)
            yield kind, mark, Request(method, PUBLIC + path, self._headers, json=body)

    def _one(self, kind: str, mark: str) -> tuple[str, str, Any]:
        person, deal = f"C{self._chance.randrange(THINGS)}", f"D{self._chance.randrange(THINGS)}"
        match kind:
            case "person":
                said = {"custom_id": person, "first_name": mark}
                return "POST", "/users/update_or_create/", said
            case "deal":
                return "POST", "/deals/update_or_create/", self._deal(deal, person, mark)
            case "event":
                return "POST", f"/users-by-id/{person}/events/", {"name": "seen"}
            case "merge" if len(self._known) >= 2:
                parent, other = self._chance.sample(self._known, 2)
                return "POST", "/users/merge/", {"parent": parent, "users_list": [other]}
            case "no deal":
                return "DELETE", f"/deals-by-id/{deal}/", None
            case _:
                return "DELETE", f"/users-by-id/{person}/", None

    def _deal(self, deal: str, person: str, mark: str) -> dict[str, Any]:
        lines = [
            {"product_custom_id": f"{self._name}-P{number}", "value": self._marks}
            for number in range(self._chance.randrange(1, 5))
        ]
        return {
            "custom_id": deal,
            "user_custom_id": person,
            "name": mark,
            "order_products": lines,
        }

    def remember(self, kind: str, reply: Reply) -> int | None:
        """Return the id that was answered."""
        if reply.status not in (200, 201):
            return None
        number: int | None = reply.json.get("id")
        if kind == "person" and number is not None:
            self._known = [*self._known[-20:], number]
        return number


def write(url: str, token: str, name: str, seconds: float, file: Path) -> None:
    writer = Writer(name, token)
    with served.serve_at(url) as platform, file.open("w", buffering=1) as told:
        os.write(sys.stdout.fileno(), f"{name} {os.getpid()}\n".encode())
        os.read(sys.stdin.fileno(), 1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            asked = list(writer.asked())
            replies = platform.caller.together(request for _, _, request in asked)
            answers = [
                (kind, mark, reply.status, writer.remember(kind, reply))
                for (kind, mark, _), reply in zip(asked, replies, strict=True)
            ]
            told.write(json.dumps(answers) + "\n")


def main(url: str, token: str, seconds: float, folder: Path, *names: str) -> int:
    """Fork a process for each name, which spares it the imports; return how many failed."""
    processes = []
    for name in names:
        process = os.fork()
        if not process:
            write(url, token, name, seconds, folder / name)
            return 0
        processes.append(process)
    return sum(os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) > 0 for each in processes)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3], float(sys.argv[3]), Path(sys.argv[4]), *sys.argv[5:]))
