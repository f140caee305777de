"""Cursors: the place they were made of, or nothing."""

from hypothesis import example, given
from hypothesis import strategies as st

from ordertrail.kit import paging

LIMIT = 3
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)


@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_a_cursor_says_the_place_it_was_made_of(key: list[int]) -> None:
    cursor = paging.encode(*key)
    assert paging.decode(cursor, len(key)) == tuple(key)
    assert paging.decode(cursor, len(key) + 1) is None
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=80), st.integers(1, 3))
@example("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw", 1)
@example("9" * 9000, 2)
@example("\ud800", 1)
@example("MS4y\n", 2)
def test_garbage_is_no_place_and_no_fault(cursor: str, parts: int) -> None:
    key = paging.decode(cursor, parts)
    assert key is None or (len(key) == parts and all(abs(n) < 2**63 for n in key))


def page(keys: list[int], cursor: str | None) -> paging.Page[int]:
    """A page of the keys that are left, three at a time."""
    place = paging.Place.read(cursor)
    assert place is not None
    edge = place.edge
    found = sorted(keys, reverse=not place.is_back)
    if edge is not None:
        found = [key for key in found if (key > edge if place.is_back else key < edge)]
    return paging.page_at(place, found[: LIMIT + 1], len(keys), int, LIMIT)


@given(st.sets(st.integers(1, 7)))
def test_a_page_whose_rows_are_gone_leads_back_to_where_it_was_reached_from(
    gone: set[int],
) -> None:
    first = page([1, 2, 3, 4, 5, 6, 7], None)
    second = page([1, 2, 3, 4, 5, 6, 7], first.next_cursor)
    assert (first.items, second.items) == ([7, 6, 5], [4, 3, 2])
    left = [key for key in range(1, 8) if key not in gone]
    newer = page(left, second.previous_cursor)
    if not newer.items:
        assert newer.previous_cursor is None
        assert page(left, newer.next_cursor).items == sorted(left, reverse=True)[:LIMIT]
    older = page(left, second.next_cursor)
    if not older.items:
        assert older.next_cursor is None
        assert page(left, older.previous_cursor).items == sorted(left, reverse=True)[-LIMIT:]


def test_a_list_of_nothing_leads_nowhere() -> None:
    assert page([], None) == paging.Page([], 0, None, None)
