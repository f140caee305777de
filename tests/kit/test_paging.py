"""Cursors: the place they were made of, or nothing."""

from hypothesis import example, given
from hypothesis import strategies as st

from ordertrail.kit import paging

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
