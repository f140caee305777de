"""What the pages stand on, and what a page is told of the person who asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ordertrail.actions.people import Person
from ordertrail.actions.workspaces import Workspace
from ordertrail.domain.errors import Invalid
from ordertrail.kit.clock import Clock
from ordertrail.kit.committer import Action, Committer
from ordertrail.kit.database import Reader
from ordertrail.kit.readers import Readers

HOME = "/console/"
TEXT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of the server that the console works with.

    `workspace_id` is where sign-in links lead; a page shows the workspace of its person.
    """

    committer: Committer
    readers: Readers
    clock: Clock
    workspace_id: int
    version: str

    async def commit(self, workspace_id: int, action: Action, command: object) -> Any:
        """Hand one command to the committer and return its outcome, or raise what refused it."""
        [outcome] = await self.committer.commit(workspace_id, action, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


NUMBER_MAX = 2**63 - 1
"""No id is larger, nor does any database take a larger number."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person asks for a page; `number` is the id in its address, or 0.

    `origin` is the address of this server as the person's browser knows it.
    """

    person: Person
    workspace: Workspace
    query: Mapping[str, str]
    number: int
    origin: str

    def text(self, name: str) -> str:
        """Return a text of the query, no longer than anyone types; no name holds a NUL."""
        typed = self.query.get(name, "").strip().replace("\0", "\N{REPLACEMENT CHARACTER}")
        return typed[:TEXT_LENGTH_MAX]

    def whole(self, name: str) -> int | None:
        """Return a number of the query, None when it is empty; raises Invalid for another word."""
        text = self.query.get(name, "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise Invalid({name: "must be a whole number"})
        return int(text)


class Page(Protocol):
    """The data of one page; its fields are what the `.json` twin of the page says."""

    template: ClassVar[str]
    section: ClassVar[str]

    @property
    def title(self) -> str:
        """The page's name in the browser's tab."""
        ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was asked for stands at another address, which has a `.json` twin as well."""

    address: str


Show = Callable[[Reader, Visit], Page | Elsewhere]
"""Reads one page on one snapshot, or says where it is, or raises Refused."""
