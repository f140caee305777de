"""What an entry of the journal tells of its subject."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ordertrail.domain.journal import Author, Entry, Subject, Verb, became, gone, took_in

AT = datetime(2026, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("subject", "is_new", "changes", "verb"),
    [
        (Subject.DEAL, True, {"name": (None, "Order")}, Verb.CREATED),
        (Subject.DEAL, True, {}, Verb.CREATED),
        (Subject.DEAL, False, {"name": ("Order", None)}, Verb.CHANGED),
        (Subject.DEAL, False, {"name": ("Order", None)} | gone(7), Verb.DELETED),
        (Subject.CONTACT, False, gone(7), Verb.DELETED),
        (Subject.CONTACT, False, {"city": (None, "York")} | took_in([7]), Verb.MERGED),
        (Subject.CONTACT, False, became(7), Verb.MERGED),
        (Subject.DEAL, False, took_in([7]), Verb.CHANGED),
    ],
)
def test_the_verb_is_told_by_the_changes(
    subject: Subject, is_new: bool, changes: dict[str, Any], verb: Verb
) -> None:
    assert Entry(subject, 1, None, is_new, changes, Author("key:1"), AT).verb is verb
