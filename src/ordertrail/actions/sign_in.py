"""Coming in and going out: the sessions of people, as batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ordertrail.actions import people
from ordertrail.domain.errors import Refused
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store.people import Person

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Enter:
    """Begin `session` by the code of a link that works once."""

    code: str
    session: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin `session` for a person who has shown a password."""

    person: Person
    session: str


@dataclass(frozen=True, slots=True)
class Choose:
    """Give a person an e-mail and a password, of which only the hash comes here.

    `session` is the one that goes on; all others of the person end.
    """

    person: Person
    email: str
    password_hash: str
    session: str


@dataclass(frozen=True, slots=True)
class Leave:
    """End `session`."""

    session: str


def enter(tx: Tx, batch: Batch[Enter]) -> Sequence[Refused | None]:
    """Use links up and begin sessions; a link that is no longer good is refused."""
    return _each(
        batch,
        lambda one: people.enter(tx, batch.workspace_id, one.code, one.session, batch.at),
    )


def begin(tx: Tx, batch: Batch[Begin]) -> Sequence[Refused | None]:
    """Begin sessions."""
    return _each(batch, lambda one: people.sign_in(tx, one.person, one.session, batch.at))


def choose(tx: Tx, batch: Batch[Choose]) -> Sequence[Refused | None]:
    """Keep e-mails and passwords; an e-mail that somebody else signs in with is refused."""
    return _each(
        batch,
        lambda one: people.set_password(
            tx, one.person, one.email, one.password_hash, session=one.session, at=batch.at
        ),
    )


def leave(tx: Tx, batch: Batch[Leave]) -> Sequence[Refused | None]:
    """End sessions; one that has ended before is no mistake."""
    return _each(batch, lambda one: people.sign_out(tx, batch.workspace_id, one.session))


def _each(batch: Batch[C], do: Callable[[C], None]) -> list[Refused | None]:
    outcomes: list[Refused | None] = []
    for command in batch.commands:
        try:
            do(command)
        except Refused as refused:
            outcomes.append(refused)
        else:
            outcomes.append(None)
    return outcomes
