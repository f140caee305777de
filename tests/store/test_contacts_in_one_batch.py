"""One person named by custom id and by e-mail in one batch is one contact."""

import time
from collections.abc import Sequence

from ordertrail.actions import contact_finding, contact_merges, contacts
from ordertrail.actions.outcomes import Written
from ordertrail.domain.contact import Contact, ContactChange, ContactName
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from served import Served

MANY = (
    "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < :n)"
    " INSERT INTO contacts (workspace_id, id, user_key, email, email_folded, profile, attributes,"
    " created_at, updated_at) SELECT 1, v + 100, 'key' || v, 'a@shop.test', 'a@shop.test', '{}',"
    " '{}', 0, 0 FROM n"
)


def upsert(
    platform: Served, *changes: ContactChange, is_keyed: bool = False
) -> Sequence[Written[Contact]]:
    commands = [
        contacts.Upsert(change, Author("test"), f"key-{platform.now()}-{n}", is_keyed)
        for n, change in enumerate(changes)
    ]
    return platform.database.write(
        lambda tx: contacts.upsert(tx, Batch(1, platform.now(), commands))
    )


def kept(platform: Served, contact_id: int) -> Contact:
    return platform.database.read(lambda reader: contacts.named(reader, 1, ContactName(contact_id)))


def test_an_email_sent_after_the_custom_id_finds_the_contact_just_made(platform: Served) -> None:
    made, found = upsert(
        platform,
        ContactChange("A", "a@shop.test", {"first_name": "Ann"}),
        ContactChange(None, " A@SHOP.test ", {"last_name": "Lee"}),
    )
    assert (made.is_new, found.is_new) == (True, False)
    assert kept(platform, made.thing.id).profile == {"first_name": "Ann", "last_name": "Lee"}


def test_changes_by_custom_id_and_by_email_are_both_kept(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"))
    upsert(
        platform,
        ContactChange(None, "a@shop.test", {"first_name": "Ann"}),
        ContactChange("A", profile={"last_name": "Lee"}),
    )
    assert kept(platform, 1).profile == {"first_name": "Ann", "last_name": "Lee"}


def test_a_key_that_was_given_up_in_the_batch_is_a_new_contacts(platform: Served) -> None:
    upsert(platform, ContactChange("A", user_key="k1"))
    again = ContactChange(user_key="k1")
    moved, made, found = upsert(
        platform, ContactChange("A", user_key="k2"), again, again, is_keyed=True
    )
    assert [each.is_new for each in (moved, made, found)] == [False, True, False]
    assert kept(platform, made.thing.id).user_key == "k1"


def test_an_email_that_was_given_up_in_the_batch_is_a_new_contacts(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"))
    moved, made = upsert(
        platform, ContactChange("A", "b@shop.test"), ContactChange(None, "a@shop.test")
    )
    assert made.is_new
    assert made.thing.id != moved.thing.id
    assert kept(platform, 1).email == "b@shop.test"


def test_of_several_with_one_email_the_oldest_is_found(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"), ContactChange("B", "a@shop.test"))
    [found] = upsert(platform, ContactChange(None, "a@shop.test", {"city": "York"}))
    assert found.thing.custom_id == "A"


def test_when_the_oldest_gives_its_email_up_the_next_is_found(platform: Served) -> None:
    people = [ContactChange(name, "a@shop.test") for name in "ABC"]
    upsert(platform, *people)
    *_, found = upsert(
        platform,
        ContactChange("A", "x@shop.test"),
        ContactChange("B", "y@shop.test"),
        ContactChange(None, "a@shop.test", {"city": "York"}),
    )
    assert found.thing.custom_id == "C"


def test_in_a_batch_and_alone_the_same_of_several_is_found(platform: Served) -> None:
    upsert(platform, *(ContactChange(name, "a@shop.test") for name in "ABC"))
    merge = contact_merges.Merge(3, (1,), Author("test"))
    platform.database.write(lambda tx: contact_merges.merge(tx, Batch(1, platform.now(), [merge])))
    named, found = upsert(
        platform, ContactChange("B", profile={"city": "Hull"}), ContactChange(None, "a@shop.test")
    )
    [alone] = upsert(platform, ContactChange(None, "a@shop.test"))
    assert (named.thing.id, found.thing.id, alone.thing.id) == (2, 3, 3)


def test_of_many_with_one_email_few_are_read(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"))
    platform.database.write(lambda tx: tx.run(MANY, n=20_000))
    started = time.thread_time()
    [found] = upsert(platform, ContactChange(None, "a@shop.test", {"city": "York"}))
    read = platform.database.read
    [oldest] = read(lambda r: contact_finding.by_email(r, 1, "A@shop.test", 1))
    assert time.thread_time() - started < 0.1
    assert (found.thing.id, oldest.id) == (1, 1)
    page = read(lambda r: contact_finding.by_email(r, 1, "a@shop.test"))
    assert [each.id for each in page] == [1, *range(101, 100 + contact_finding.FOUND_MAX)]
