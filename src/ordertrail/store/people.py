"""People, their sign-in links and sessions as rows; of secrets only a hash is kept."""

from dataclasses import dataclass
from datetime import datetime

from ordertrail.kit import clock
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import sql


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may open the console."""

    workspace_id: int
    id: int
    email: str
    password_hash: str | None = None


_COLUMNS = "p.workspace_id, p.id, p.email, p.password_hash"
_BY_EMAIL = sql.rows(_COLUMNS, "people p WHERE p.email = :email")
_ANY = sql.rows(
    _COLUMNS, "(SELECT * FROM people WHERE workspace_id = :workspace_id ORDER BY id LIMIT 1) p"
)
_BY_SESSION = sql.rows(
    _COLUMNS,
    "sessions s JOIN people p ON p.workspace_id = s.workspace_id AND p.id = s.person_id"
    " WHERE s.workspace_id = :workspace_id AND s.hash = :hash AND s.expires_at > :at",
)
_ADD = (
    "INSERT INTO people (workspace_id, id, email, password_hash, created_at)"
    " VALUES (:workspace_id, :id, :email, :password_hash, :created_at)"
)
_SET_SECRET = (
    "UPDATE people SET email = :email, password_hash = :password_hash"
    " WHERE workspace_id = :workspace_id AND id = :id"
)
_ADD_LINK = (
    "INSERT INTO sign_in_links (workspace_id, hash, person_id, expires_at)"
    " VALUES (:workspace_id, :hash, :person_id, :expires_at)"
)
_USE_LINK = (
    "DELETE FROM sign_in_links WHERE workspace_id = :workspace_id AND hash = :hash"
    " AND expires_at > :at RETURNING person_id"
)
_ADD_SESSION = (
    "INSERT INTO sessions (workspace_id, hash, person_id, created_at, expires_at)"
    " VALUES (:workspace_id, :hash, :person_id, :created_at, :expires_at)"
)
_END_SESSION = "DELETE FROM sessions WHERE workspace_id = :workspace_id AND hash = :hash"
_END_OTHERS = (
    "DELETE FROM sessions WHERE workspace_id = :workspace_id AND person_id = :id AND hash <> :hash"
)
_END_LINKS = (
    "DELETE FROM sign_in_links WHERE workspace_id = :workspace_id"
    " AND (person_id = :id OR expires_at <= :at)"
)
_END_OLD = "DELETE FROM sessions WHERE workspace_id = :workspace_id AND expires_at <= :at"


def by_email(reader: Reader, email: str) -> Person | None:
    """Return the person with this e-mail."""
    found = reader.rows(_BY_EMAIL, email=email)
    return Person(*found[0]) if found else None


def first(reader: Reader, workspace_id: int) -> Person | None:
    """Return the person who was there first: the owner."""
    found = reader.rows(_ANY, workspace_id=workspace_id)
    return Person(*found[0]) if found else None


def by_session(reader: Reader, workspace_id: int, session_hash: str, at: datetime) -> Person | None:
    """Return the person of a session that has not expired."""
    found = reader.rows(
        _BY_SESSION, workspace_id=workspace_id, hash=session_hash, at=clock.to_micros(at)
    )
    return Person(*found[0]) if found else None


def add(tx: Tx, person: Person, at: datetime) -> None:
    """Insert a person."""
    tx.run(
        _ADD,
        workspace_id=person.workspace_id,
        id=person.id,
        email=person.email,
        password_hash=person.password_hash,
        created_at=clock.to_micros(at),
    )


def set_password(tx: Tx, person: Person, email: str, password_hash: str) -> None:
    """Give a person an e-mail and a password to come back with."""
    tx.run(
        _SET_SECRET,
        workspace_id=person.workspace_id,
        id=person.id,
        email=email,
        password_hash=password_hash,
    )


def add_link(tx: Tx, person: Person, link_hash: str, expires_at: datetime) -> None:
    """Insert a link that signs a person in once."""
    tx.run(
        _ADD_LINK,
        workspace_id=person.workspace_id,
        hash=link_hash,
        person_id=person.id,
        expires_at=clock.to_micros(expires_at),
    )


def use_link(tx: Tx, workspace_id: int, link_hash: str, at: datetime) -> int | None:
    """Take a link away and return whose it was; None when it is used, expired or unknown."""
    found = tx.fetch(_USE_LINK, workspace_id=workspace_id, hash=link_hash, at=clock.to_micros(at))
    return found[0][0] if found else None


def add_session(
    tx: Tx, workspace_id: int, person_id: int, session_hash: str, at: datetime, until: datetime
) -> None:
    """Insert a session, and remove those that have expired."""
    tx.run(_END_OLD, workspace_id=workspace_id, at=clock.to_micros(at))
    tx.run(
        _ADD_SESSION,
        workspace_id=workspace_id,
        hash=session_hash,
        person_id=person_id,
        created_at=clock.to_micros(at),
        expires_at=clock.to_micros(until),
    )


def end_session(tx: Tx, workspace_id: int, session_hash: str) -> None:
    """Remove a session."""
    tx.run(_END_SESSION, workspace_id=workspace_id, hash=session_hash)


def end_others(tx: Tx, person: Person, session_hash: str, at: datetime) -> None:
    """Remove all other sessions of a person, and the links that still wait to be used."""
    tx.run(_END_OTHERS, workspace_id=person.workspace_id, id=person.id, hash=session_hash)
    tx.run(_END_LINKS, workspace_id=person.workspace_id, id=person.id, at=clock.to_micros(at))
