"""A shell for tests: commands run in this process, with an outbox of their own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ordertrail import cli
from ordertrail.client.calls import Call
from ordertrail.kit.sqlite import Sqlite
from processes import Site

TAKES_TO = {"sync", "explain", "verify", "deliver"}
TAKES_OUTBOX = {"sync", "verify", "outbox"}


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document of JSON that was printed."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        """The lines of JSON that were printed."""
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Runs commands on one outbox, and looks at what the platform holds."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        url: str | None = None,
    ) -> None:
        self.folder = folder
        self.outbox = folder / "shop.outbox"
        self.url = url or site.environment["ORDERTRAIL_URL"]
        self.token = site.environment["ORDERTRAIL_TOKEN"]
        self._capsys = capsys
        self._site = site

    def run(self, *words: object, token: str | None = None) -> Ran:
        """Run a command, with the options for endpoint, token and outbox that it takes."""
        said = [str(word) for word in words]
        command = said[0] if said[0] != "outbox" else said[1]
        if command in TAKES_TO:
            said += ["--to", self.url]
            said += [] if command == "explain" else ["--token", token or self.token]
        if said[0] in TAKES_OUTBOX:
            said += ["--outbox", str(self.outbox)]
        self._capsys.readouterr()
        code = cli.run(said)
        return Ran(code, *self._capsys.readouterr())

    def ok(self, *words: object) -> Ran:
        """Run a command that must end well."""
        ran = self.run(*words)
        assert ran.code == 0, (ran.out, ran.err)
        return ran

    def deal(self, order_id: str) -> Any:
        return self._site.get(f"deals-by-id/{order_id}/")

    def rows(self, query: str) -> list[list[Any]]:
        """What a query finds in the platform's database, which says each row as JSON."""
        database = Sqlite(self._site.folder / "platform.db")
        try:
            return database.read(lambda reader: reader.rows(query))
        finally:
            database.close()

    def tell(self, call: Call) -> Any:
        """Make a call behind the sync's back."""
        return self._site.call(call.method, call.path, call.body)

    @property
    def holds(self) -> dict[str, list[Any]]:
        return self._site.holds()
