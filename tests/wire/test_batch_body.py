"""A batch on the wire: what is written is read back, and what cannot be read is alone in that."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.errors import Invalid
from ordertrail.wire import batch, body
from ordertrail.wire.batch import OPERATIONS_MAX, Operation

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
KEYS = st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
CALLS = st.tuples(st.sampled_from(["POST", "GET"]), TEXT, st.dictionaries(TEXT, JSON), KEYS)


@given(st.lists(CALLS, max_size=5))
def test_what_is_written_is_read_back(calls: list[tuple[str, str, dict[str, Any], str]]) -> None:
    raw = body.encode({"operations": [batch.encode_operation(*call) for call in calls]})
    read = []
    for each in batch.decode(raw):
        assert isinstance(each, Operation)
        read.append((each.method, each.path, body.parse(each.raw_body), each.key))
    assert read == calls


def test_numbers_keep_their_digits() -> None:
    said = batch.encode_operation("POST", "/", {"value": Decimal("149.90")}, None)
    [operation] = batch.decode(body.encode({"operations": [said]}))
    assert isinstance(operation, Operation)
    assert operation.raw_body == b'{"value":149.90}'


@given(JSON)
def test_any_json_is_read_or_refused_in_its_place(thing: Any) -> None:
    good = batch.encode_operation("POST", "/x/", {}, None)
    before, _, after = batch.decode(body.encode({"operations": [good, thing, good]}))
    assert before == after == Operation("POST", "/x/", b"{}", None)


@given(st.binary(max_size=40) | JSON.map(body.encode))
def test_any_bytes_are_a_batch_or_refused(raw: bytes) -> None:
    try:
        read = batch.decode(raw)
    except Invalid:
        return
    assert all(isinstance(each, Operation | Invalid) for each in read)


@pytest.mark.parametrize(("count", "is_taken"), [(OPERATIONS_MAX, True), (1001, False)])
def test_it_holds_so_many_and_no_more(count: int, is_taken: bool) -> None:
    raw = b'{"operations": [%s]}' % b",".join([b"1"] * count)
    if is_taken:
        assert len(batch.decode(raw)) == count
    else:
        with pytest.raises(Invalid, match="at most 1000"):
            batch.decode(raw)


def test_a_key_that_is_a_number_is_its_digits() -> None:
    [operation] = batch.decode(b'{"operations": [{"path": "/", "body": {}, "key": 7}]}')
    assert operation == Operation("POST", "/", b"{}", "7")
