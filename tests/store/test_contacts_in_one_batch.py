"""One person named by custom id and by e-mail in one batch is one contact."""

from collections.abc import Sequence

from ordertrail.actions import contacts
from ordertrail.actions.contact_writing import Written
from ordertrail.domain.contact import Contact, ContactChange
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from served import Served


def upsert(platform: Served, *changes: ContactChange) -> Sequence[Written]:
    commands = [
        contacts.Upsert(change, Author("test"), f"key-{platform.now()}-{n}")
        for n, change in enumerate(changes)
    ]
    return platform.database.write(
        lambda tx: contacts.upsert(tx, Batch(1, platform.now(), commands))
    )


def kept(platform: Served, contact_id: int) -> Contact:
    return platform.database.read(lambda reader: contacts.get(reader, 1, contact_id))


def test_an_email_sent_after_the_custom_id_finds_the_contact_just_made(platform: Served) -> None:
    made, found = upsert(
        platform,
        ContactChange("A", "a@shop.test", {"first_name": "Ann"}),
        ContactChange(None, " A@SHOP.test ", {"last_name": "Lee"}),
    )
    assert (made.is_new, found.is_new) == (True, False)
    assert kept(platform, made.contact.id).profile == {"first_name": "Ann", "last_name": "Lee"}


def test_changes_by_custom_id_and_by_email_are_both_kept(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"))
    upsert(
        platform,
        ContactChange(None, "a@shop.test", {"first_name": "Ann"}),
        ContactChange("A", profile={"last_name": "Lee"}),
    )
    assert kept(platform, 1).profile == {"first_name": "Ann", "last_name": "Lee"}


def test_an_email_that_was_given_up_in_the_batch_is_a_new_contacts(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"))
    moved, made = upsert(
        platform, ContactChange("A", "b@shop.test"), ContactChange(None, "a@shop.test")
    )
    assert made.is_new
    assert made.contact.id != moved.contact.id
    assert kept(platform, 1).email == "b@shop.test"


def test_of_several_with_one_email_the_oldest_is_found(platform: Served) -> None:
    upsert(platform, ContactChange("A", "a@shop.test"), ContactChange("B", "a@shop.test"))
    [found] = upsert(platform, ContactChange(None, "a@shop.test", {"city": "York"}))
    assert found.contact.custom_id == "A"
