"""A deal: only what was sent is touched, and each rule of the API by itself."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain import deal as rules
from ordertrail.domain import deal_story, money
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.deal import Deal, DealChange, Facts, SentLine, Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.money import Money
from ordertrail.domain.pipeline import ORDER_STAGES, KnownStages, Stage

PLACED_AT = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)
STAGES = KnownStages(
    {stage.id: stage for stage in (*ORDER_STAGES, Stage(13, 9, "New"), Stage(12, 9, "Done"))}
)
SKUS = {"P": 1, "Q": 2, "R": 3}
LINE_P = SentLine(2, 1_500_000, product_custom_id="P")
LINE_Q = SentLine(1, 20_000_000, product_custom_id="Q", currency="EUR")


def facts(contact_id: Any = ABSENT, at: datetime = NOW) -> Facts:
    names = {number: sku for sku, number in SKUS.items()}
    return Facts(STAGES, "USD", contact_id, SKUS, names, at)


def new_deal(**sent: Any) -> Deal:
    change = DealChange("D", **sent)
    known = facts(at=PLACED_AT)
    drafted = Deal(
        7, "D", "D", None, 1, 1, Status.IN_PROGRESS, Money(0, "USD"), PLACED_AT, PLACED_AT
    )
    return rules.apply(drafted, change, known)


OLD = new_deal(
    name="Order",
    value=Decimal("149.90"),
    lines=(LINE_P, LINE_Q),
    products_custom_id=("R",),
    attributes={"size": "L", "gift": True},
    details={"loss_reason": 5},
)


def after(deal: Deal = OLD, contact_id: Any = ABSENT, **sent: Any) -> Deal:
    return rules.apply(deal, DealChange(deal.custom_id, **sent), facts(contact_id))


def touched(old: Deal, new: Deal) -> set[str]:
    """The fields that read differently; 1 and true are not the same."""
    names = {each.name for each in fields(Deal)} - {"updated_at"}
    return {name for name in names if repr(getattr(old, name)) != repr(getattr(new, name))}


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ({"name": "Another"}, {"name"}),
        ({"stage": 2}, {"stage_id"}),
        ({"stage": 12}, {"stage_id", "pipeline_id"}),
        ({"pipeline": 9}, {"stage_id", "pipeline_id"}),
        ({"status": Status.WON}, {"status", "won_at"}),
        ({"status": Status.LOST}, {"status", "lost_at"}),
        ({"status": Status.ARCHIVED}, {"status"}),
        ({"value": Decimal("129.90")}, {"value"}),
        ({"currency": "EUR"}, {"value"}),
        ({"won_at": PLACED_AT}, {"won_at"}),
        ({"lost_at": PLACED_AT}, {"lost_at"}),
        ({"lines": (LINE_Q,)}, {"lines", "linked_ids"}),
        ({"lines": ()}, {"lines", "linked_ids"}),
        ({"products_custom_id": ()}, {"linked_ids"}),
        ({"attributes": {"size": "M"}}, {"attributes"}),
        ({"attributes": {"gift": 1}}, {"attributes"}),
        ({"details": {"loss_reason": None}}, {"details"}),
    ],
)
def test_only_what_was_sent_is_touched(sent: dict[str, Any], wanted: set[str]) -> None:
    changed = after(**sent)
    assert touched(OLD, changed) == wanted
    assert changed.updated_at == NOW
    assert changed.created_at == PLACED_AT


SENDABLE: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["Order", "Another"]),
    "pipeline": st.sampled_from([1, 9]),
    "status": st.sampled_from(Status),
    "value": st.sampled_from([Decimal("149.90"), Decimal(0), Decimal("0.005")]),
    "currency": st.sampled_from(["USD", "JPY", "KWD"]),
    "won_at": st.none() | st.just(NOW),
    "lost_at": st.none() | st.just(NOW),
    "lines": st.lists(st.sampled_from([LINE_P, LINE_Q]), max_size=3).map(tuple),
    "products_custom_id": st.lists(st.sampled_from(sorted(SKUS)), max_size=3).map(tuple),
    "attributes": st.dictionaries(st.sampled_from(["size", "new"]), st.sampled_from([1, "L"])),
}
CHANGES = st.fixed_dictionaries({}, optional=SENDABLE)


@given(CHANGES)
def test_the_same_change_again_is_no_change(sent: dict[str, Any]) -> None:
    once = after(**sent)
    later = rules.apply(once, DealChange("D", **sent), facts(at=NOW + timedelta(days=1)))
    assert later is once


@given(CHANGES)
def test_the_journal_tells_just_what_is_different(sent: dict[str, Any]) -> None:
    changed = after(**sent)
    told = deal_story.changes(OLD, changed)
    assert bool(told) is (changed is not OLD)
    assert all(old != new for old, new in told.values())
    standing = {"size", "gift", "new", "loss_reason"}
    columns = {
        "user_id": "contact_id",
        "pipeline": "pipeline_id",
        "stage": "stage_id",
        "currency": "value",
        "order_products": "lines",
        "products": "",
    }
    names = {columns.get(name, name) for name in told if name not in standing} - {""}
    names |= {"attributes"} if told.keys() & standing else set()
    assert names == touched(OLD, changed) - {"linked_ids"}


@given(CHANGES)
def test_no_product_is_linked_twice(sent: dict[str, Any]) -> None:
    changed = after(**sent)
    in_lines = {line.product_id for line in changed.lines}
    assert not in_lines & set(changed.linked_ids)
    assert sorted(changed.linked_ids) == list(changed.linked_ids)
    assert len(set(changed.product_ids)) == len(changed.product_ids)


def test_a_change_of_nothing_returns_the_very_deal() -> None:
    assert after() is OLD
    assert after(name="Order", value=Decimal("149.9"), stage=1, lines=(LINE_P, LINE_Q)) is OLD


def test_a_stage_gives_its_pipeline_and_a_pipeline_its_first_stage() -> None:
    assert (after(stage=13).pipeline_id, after(pipeline=9).stage_id) == (9, 13)
    moved = after(stage=12)
    assert after(moved, pipeline=9) is moved
    assert after(moved, pipeline=9, stage=13).stage_id == 13


@pytest.mark.parametrize(
    ("sent", "field", "says"),
    [
        ({"stage": 99}, "stage", "there are: 1 New order"),
        ({"stage": 13, "pipeline": 1}, "stage", "of pipeline 9, not 1"),
        ({"pipeline": 5}, "pipeline", "no pipeline 5"),
        ({"currency": "XXX"}, "currency", "ISO 4217"),
        ({"value": Decimal(10**12)}, "value", "under"),
        ({"product_ids": (99,)}, "products", "99"),
        ({"lines": (SentLine(1, 0, product_id=99),)}, "order_products[0]", "99"),
    ],
)
def test_what_cannot_be_is_refused_by_field(sent: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        after(**sent)
    assert list(refused.value.fields) == [field]


def test_when_it_was_won_or_lost_is_set_kept_and_cleared() -> None:
    won = after(status=Status.WON)
    assert (won.won_at, won.lost_at) == (NOW, None)
    later = NOW + timedelta(days=3)
    again = rules.apply(won, DealChange("D", status=Status.WON, name="x"), facts(at=later))
    assert again.won_at == NOW
    assert after(status=Status.WON, won_at=PLACED_AT).won_at == PLACED_AT
    lost = rules.apply(won, DealChange("D", status=Status.LOST), facts(at=later))
    assert (lost.won_at, lost.lost_at) == (None, later)
    for status in (Status.IN_PROGRESS, Status.ABANDONED):
        moved_on = after(lost, status=status)
        assert (moved_on.won_at, moved_on.lost_at) == (None, None)
    archived = after(lost, status=Status.ARCHIVED)
    assert (archived.won_at, archived.lost_at) == (None, later)
    assert after(won, status=Status.ARCHIVED).won_at == NOW
    assert after(won, won_at=None).won_at is None


def test_a_status_that_stays_leaves_when_it_was_reached() -> None:
    unknown = after(status=Status.WON, won_at=None)
    assert after(unknown, status=Status.WON) is unknown
    lost = after(status=Status.LOST, won_at=PLACED_AT)
    assert after(lost, status=Status.LOST) is lost


def test_a_status_that_is_reached_again_has_the_new_moment() -> None:
    later = NOW + timedelta(days=3)
    lost = after(after(status=Status.WON), status=Status.LOST)
    won_again = rules.apply(lost, DealChange("D", status=Status.WON), facts(at=later))
    assert (won_again.won_at, won_again.lost_at) == (later, None)


def test_lines_are_replaced_whole_and_keep_their_snapshot() -> None:
    priced = after(lines=(replace(LINE_P, price_micros=9_990_000), LINE_P))
    assert [(line.product_custom_id, line.price_micros) for line in priced.lines] == [
        ("P", 9_990_000),
        ("P", 1_500_000),
    ]
    assert after(value=Decimal(0), stage=3).lines == OLD.lines
    assert [line.currency for line in OLD.lines] == ["USD", "EUR"]
    assert after(currency="JPY").lines == OLD.lines


def test_a_product_of_a_line_is_no_link_and_becomes_one_again() -> None:
    assert OLD.linked_ids == (3,)
    assert OLD.product_ids == (1, 2, 3)
    with_line = after(lines=(SentLine(1, 0, product_custom_id="R"),))
    assert (with_line.linked_ids, with_line.product_ids) == ((1, 2), (3, 1, 2))
    assert after(with_line, lines=()).product_ids == (1, 2, 3)
    assert after(lines=(), products_custom_id=()).product_ids == ()
    assert after(products_custom_id=("P", "R"), product_ids=(2,)).product_ids == (1, 2, 3)
    assert after(product_ids=(3,)) is OLD


def test_a_deal_is_about_so_many_products_and_no_more() -> None:
    many = {f"S{number}": number for number in range(3, rules.PRODUCTS_MAX + 4)}
    known = Facts(STAGES, "USD", ABSENT, many, {}, NOW)
    most = DealChange("D", products_custom_id=tuple(many)[:-1])
    full = rules.apply(OLD, most, known)
    assert len(full.product_ids) == rules.PRODUCTS_MAX + 2  # and two in its lines
    with pytest.raises(Invalid, match="at most 5000 products") as refused:
        rules.apply(full, DealChange("D", lines=()), known)
    assert list(refused.value.fields) == ["products"]


@given(st.sampled_from(sorted(money.EXPONENTS)))
def test_another_currency_keeps_the_amount(code: str) -> None:
    changed = after(currency=code)
    assert changed.value.currency == code
    assert changed.value.minor == money.minor(Decimal("149.90"), code)


def test_whose_it_is_changes_only_when_it_is_sent() -> None:
    owned = after(contact_id=4)
    assert owned.contact_id == 4
    assert after(owned, name="x").contact_id == 4
    assert after(owned, contact_id=4) is owned
