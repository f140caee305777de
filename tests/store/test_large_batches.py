"""What a batch costs grows with what it touches, and not with the square of it."""

import json
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from ordertrail.actions import contact_merges, contacts
from ordertrail.domain.contact import ContactChange, ContactName
from ordertrail.domain.journal import Author, Origin
from ordertrail.kit.committer import Batch
from ordertrail.kit.database import Tx
from ordertrail.store import ids
from served import Served

PEOPLE = 40_000
FILL = (
    "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < :n)"
    " INSERT INTO contacts (workspace_id, id, user_key, profile, attributes, created_at,"
    " updated_at) SELECT 1, v, 'key' || v, '{}', '{}', 0, 0 FROM n"
)
DEALS = (
    "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < :n)"
    " INSERT INTO deals (workspace_id, id, name, contact_id, pipeline_id, stage_id, status,"
    " value_minor, currency, details, attributes, created_at, updated_at)"
    " SELECT 1, :first + v, 'order', :owner, 1, 1, 1, 0, 'USD', '{}', '{}', 0, 0 FROM n"
)
AUTHOR = Author("test")


def duration_s(platform: Served, action: Callable[..., Any], commands: Sequence[Any]) -> float:
    """The processor's time that it takes, whatever else the machine does."""
    platform.database.write(lambda tx: tx.run(FILL, n=PEOPLE))
    started = time.thread_time()
    outcomes = platform.database.write(
        lambda tx: action(tx, Batch(1, platform.now(), commands)),
    )
    spent = time.thread_time() - started
    assert not [each for each in outcomes if isinstance(each, Exception)]
    return spent


def thousands() -> list[tuple[int, ...]]:
    return [tuple(range(first, first + 1_000)) for first in range(1, PEOPLE, 1_000)]


def test_changing_many_contacts_takes_seconds(platform: Served) -> None:
    change = ContactChange(attributes={"plan": "pro"})
    commands = [contacts.ChangeMany(ids, change, AUTHOR) for ids in thousands()]
    assert duration_s(platform, contacts.change_many, commands) < 5


def test_merging_many_contacts_takes_seconds(platform: Served) -> None:
    commands = [contact_merges.Merge(1, ids, AUTHOR) for ids in thousands()]
    assert duration_s(platform, contact_merges.merge, commands) < 5


def test_what_was_merged_in_a_batch_follows_when_its_parent_is_merged(platform: Served) -> None:
    chain = [contact_merges.Merge(n + 1, (n,), AUTHOR) for n in range(1, 300)]
    duration_s(platform, contact_merges.merge, chain)
    leads = [row[10] for row in platform.rows("contacts") if row[1] <= 300]
    assert leads == [300] * 299 + [None]


def test_deleting_a_contact_takes_no_memory_for_each_of_its_deals(platform: Served) -> None:
    count = 5_000

    def fill(tx: Tx) -> None:
        tx.run(FILL, n=3)
        for owner in (1, 2):
            tx.run(DEALS, n=count, first=owner * count, owner=owner)

    platform.database.write(fill)
    gone = [ContactName(1), ContactName(2), ContactName(2)]
    commands = [
        contact_merges.Delete(name, Author(f"key {n}", Origin.BACKFILL))
        for n, name in enumerate(gone)
    ]
    tracemalloc.start()
    try:
        outcomes = platform.database.write(
            lambda tx: contact_merges.delete(tx, Batch(1, platform.now(), commands))
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [isinstance(each, Exception) for each in outcomes] == [False, False, True]
    assert peak < 200_000
    assert {row[4] for row in platform.rows("deals")} == {None}
    told = [row for row in platform.rows("journal") if row[3] == "deal"]
    assert {(*json.loads(row[7])["user_id"], row[8], row[9]) for row in told} == {
        (owner, None, f"key {owner - 1}", "backfill") for owner in (1, 2)
    }
    assert {row[4] for row in told} == {row[1] for row in platform.rows("deals")}
    following = platform.database.write(lambda tx: next(ids.take(tx, 1, journal=1)["journal"]))
    assert following == max(row[1] for row in platform.rows("journal")) + 1
