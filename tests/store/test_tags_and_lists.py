"""Tags and lists: what bears them, and who is on them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ordertrail.domain.contact import Contact
from ordertrail.domain.journal import Subject
from ordertrail.domain.tag import ContactList, Tag
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import contacts, lists, tags
from served import serve

AT = datetime(2026, 3, 1, tzinfo=UTC)
MADE_LIST = (
    "INSERT INTO lists (workspace_id, id, name, created_at) VALUES (:workspace_id, 7, 'VIP', 0)"
)


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    with serve(tmp_path_factory.mktemp("tags")) as platform:
        people = [Contact(i, f"k{i}", AT, AT) for i in (1, 2)]
        platform.database.write(lambda tx: contacts.add(tx, 1, people))
        platform.database.write(lambda tx: tx.run(MADE_LIST, workspace_id=1))
        yield platform.database


def borne(database: Sqlite) -> list[tuple[str, ...]]:
    found = database.read(lambda r: contacts.by_ids(r, 1, [1, 2]))
    return [tuple(tag.name for tag in found[i].tags) for i in (1, 2)]


def test_a_tag_is_borne_once_however_often_it_is_given(database: Sqlite) -> None:
    database.write(lambda tx: tags.add(tx, 1, [Tag(1, "new"), Tag(2, "old")], AT))
    for _ in range(2):
        database.write(lambda tx: tags.attach(tx, 1, Subject.CONTACT, [(1, 1), (1, 2), (2, 2)]))
    assert borne(database) == [("new", "old"), ("old",)]


def test_only_the_named_tags_of_the_named_things_are_taken(database: Sqlite) -> None:
    database.write(lambda tx: tags.add(tx, 1, [Tag(1, "new"), Tag(2, "old")], AT))
    both = [(1, 1), (1, 2), (2, 2)]
    for subject in (Subject.CONTACT, Subject.DEAL):
        database.write(lambda tx, subject=subject: tags.attach(tx, 1, subject, both))
    database.write(lambda tx: tags.detach(tx, 1, Subject.DEAL, both))
    database.write(lambda tx: tags.detach(tx, 1, Subject.CONTACT, [(1, 2), (2, 1)]))
    assert borne(database) == [("new",), ("old",)]


def test_tags_are_found_by_their_names(database: Sqlite) -> None:
    database.write(lambda tx: tags.add(tx, 1, [Tag(1, "new"), Tag(2, "old")], AT))
    assert database.read(lambda r: tags.ids_by_names(r, 1, {"old", "none"})) == {"old": 2}
    assert database.read(lambda r: tags.ids_by_names(r, 2, {"old"})) == {}


def test_a_contact_is_on_a_list_once_until_it_is_taken_off(database: Sqlite) -> None:
    assert database.read(lambda r: lists.by_ids(r, 1, {7, 8})).keys() == {7}
    for _ in range(2):
        database.write(lambda tx: lists.add_members(tx, 1, [(7, 1), (7, 2)]))
    database.write(lambda tx: lists.remove_members(tx, 1, [(7, 2)]))
    found = database.read(lambda r: contacts.by_ids(r, 1, [1, 2]))
    assert [found[i].lists for i in (1, 2)] == [(ContactList(7, "VIP"),), ()]
