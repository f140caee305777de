"""Two changes of one deal that happen to share a batch: both are kept."""

from ordertrail.actions import deals
from ordertrail.actions.outcomes import Written
from ordertrail.domain.deal import DealChange, DealName, SentLine
from ordertrail.domain.journal import Author
from ordertrail.kit.committer import Batch
from ordertrail.kit.paging import Place
from served import Served

ME = Author("test")


def upsert(platform: Served, *changes: DealChange) -> None:
    commands = [deals.Upsert(change, ME) for change in changes]
    batch = Batch(1, platform.now(), commands)
    for outcome in platform.database.write(lambda tx: deals.upsert(tx, batch)):
        assert not isinstance(outcome, Exception), outcome


def kept_lines(platform: Served) -> list[tuple[str, int]]:
    found = platform.database.read(lambda reader: deals.named(reader, 1, DealName(custom_id="A")))
    return [(line.product_custom_id, line.quantity) for line in found.deal.lines]


def lines(*quantities: int) -> tuple[SentLine, ...]:
    return tuple(SentLine(n, 1_000_000, product_custom_id=f"P{n}") for n in quantities)


def test_a_deal_created_and_moved_in_one_batch_keeps_its_lines(platform: Served) -> None:
    created = DealChange("A", lines=lines(1, 2), products_custom_id=("P3",))
    upsert(platform, created, DealChange("A", stage=2))
    assert kept_lines(platform) == [("P1", 1), ("P2", 2)]
    found = platform.database.read(lambda reader: deals.named(reader, 1, DealName(custom_id="A")))
    assert sorted(found.custom_ids.values()) == ["P1", "P2", "P3"]


def test_lines_sent_twice_in_one_batch_are_the_later_ones(platform: Served) -> None:
    upsert(platform, DealChange("A", lines=lines(1)))
    upsert(platform, DealChange("A", lines=lines(2, 3)), DealChange("A", lines=lines(4)))
    assert kept_lines(platform) == [("P4", 4)]


def test_lines_changed_and_changed_back_in_one_batch_are_as_before(platform: Served) -> None:
    upsert(platform, DealChange("A", lines=lines(1)))
    upsert(platform, DealChange("A", lines=lines(2)), DealChange("A", lines=lines(1)))
    assert kept_lines(platform) == [("P1", 1)]


def test_a_custom_id_that_was_given_up_in_the_batch_is_a_new_deals(platform: Served) -> None:
    upsert(platform, DealChange("A"))
    commands = [
        deals.Change(DealName(custom_id="A"), DealChange("B"), ME),
        deals.Upsert(DealChange("A"), ME),
    ]
    batch = Batch(1, platform.now(), commands)
    moved, made = platform.database.write(lambda tx: deals.upsert(tx, batch))
    assert isinstance(moved, Written)
    assert isinstance(made, Written)
    assert (moved.is_new, made.is_new) == (False, True)


def test_of_both_names_of_a_deal_the_custom_id_counts(platform: Served) -> None:
    upsert(platform, DealChange("A"), DealChange("B"))
    both = DealName(1, "B")
    told = deals.Change(both, DealChange(name="told"), ME), deals.Delete(both, ME)
    for action, command in zip((deals.upsert, deals.delete), told, strict=True):
        batch = Batch(1, platform.now(), [command])
        [done] = platform.database.write(lambda tx, a=action, b=batch: a(tx, b))
        assert not isinstance(done, Exception)
    left = platform.database.read(lambda r: deals.page(r, 1, (), Place())).page.items
    assert [(each.deal.custom_id, each.deal.name) for each in left] == [("A", "A")]


def test_a_deal_that_is_named_takes_no_id_for_its_neighbours_that_are_there(
    platform: Served,
) -> None:
    upsert(platform, DealChange("A"), DealChange("B"))
    before = platform.rows("sequences")
    commands = [
        deals.Change(DealName(custom_id="A"), DealChange(stage=2), ME),
        deals.Upsert(DealChange("B", stage=1), ME),
    ]
    batch = Batch(1, platform.now(), commands)
    platform.database.write(lambda tx: deals.upsert(tx, batch))
    ids = [
        [row for row in rows if row[1] == "deal"] for rows in (before, platform.rows("sequences"))
    ]
    assert ids[0] == ids[1]
