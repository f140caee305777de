"""People: how they come into the console, by a link that works once or by a password."""

import hashlib
from datetime import datetime, timedelta

import argon2

from ordertrail.domain.errors import Conflict, Invalid, Unauthorised
from ordertrail.kit.database import Reader, Tx
from ordertrail.store import ids, people
from ordertrail.store.people import Person

LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(days=14)
PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
OWNER_EMAIL = "owner@localhost"

__all__ = [
    "LINK_LIFE",
    "OWNER_EMAIL",
    "PASSWORD_LENGTH_MIN",
    "SESSION_LIFE",
    "Person",
    "check_password",
    "enter",
    "hash_password",
    "invite_owner",
    "of_session",
    "owner",
    "set_password",
    "sign_in",
    "sign_out",
]

_hasher = argon2.PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def owner(reader: Reader, workspace_id: int) -> Person | None:
    """Return the first person of a workspace, if there is anyone yet."""
    return people.first(reader, workspace_id)


def invite_owner(tx: Tx, workspace_id: int, code: str, at: datetime) -> Person:
    """Make a link that signs the owner in once; the owner is created when there is none."""
    person = people.first(tx, workspace_id)
    if person is None:
        number = next(ids.take(tx, workspace_id, person=1)["person"])
        person = Person(workspace_id, number, OWNER_EMAIL)
        people.add(tx, person, at)
    people.add_link(tx, person, _hash(code), at + LINK_LIFE)
    return person


def enter(tx: Tx, workspace_id: int, code: str, session: str, at: datetime) -> None:
    """Use a link up and begin a session; raises Unauthorised when the link is no longer good."""
    person_id = people.use_link(tx, workspace_id, _hash(code), at)
    if person_id is None:
        raise Unauthorised("This link was used before or is too old.")
    people.add_session(tx, workspace_id, person_id, _hash(session), at, at + SESSION_LIFE)


def check_password(reader: Reader, email: str, password: str) -> Person:
    """Return the person, or raise Unauthorised; takes as long when there is no such person."""
    person = people.by_email(reader, email.strip().lower())
    known = (person.password_hash if person else None) or _NOBODY
    try:
        _hasher.verify(known, password[:PASSWORD_LENGTH_MAX])
    except argon2.exceptions.VerificationError:
        raise Unauthorised("The e-mail or the password is wrong.") from None
    if person is None or person.password_hash is None:
        raise Unauthorised("The e-mail or the password is wrong.")
    return person


def sign_in(tx: Tx, person: Person, session: str, at: datetime) -> None:
    """Begin a session of a person who has shown a password."""
    until = at + SESSION_LIFE
    people.add_session(tx, person.workspace_id, person.id, _hash(session), at, until)


def of_session(reader: Reader, workspace_id: int, session: str, at: datetime) -> Person | None:
    """Return the person of a session that has not ended."""
    return people.by_session(reader, workspace_id, _hash(session), at)


def sign_out(tx: Tx, workspace_id: int, session: str) -> None:
    """End a session."""
    people.end_session(tx, workspace_id, _hash(session))


def hash_password(email: str, password: str) -> str:
    """Return the hash to keep, or raise Invalid saying what the e-mail or password lacks."""
    wrong: dict[str, str] = {}
    if "@" not in email or len(email) > 254:
        wrong["email"] = "must be an e-mail address"
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        wrong["password"] = f"must have {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters"
    if wrong:
        raise Invalid(wrong)
    return _hasher.hash(password)


def set_password(
    tx: Tx, person: Person, email: str, password_hash: str, *, session: str, at: datetime
) -> None:
    """Give a person an e-mail and a password to come back with.

    All other sessions of the person end, and links that were not used yet work no more.
    """
    folded = email.strip().lower()
    known = people.by_email(tx, folded)
    if known is not None and known.id != person.id:
        raise Conflict("Somebody else signs in with this e-mail.")
    people.set_password(tx, person, folded, password_hash)
    people.end_others(tx, person, _hash(session), at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
