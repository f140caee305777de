"""Whatever clients in the field send is understood, and what is said is read back the same."""

import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ordertrail.domain import attribute, money
from ordertrail.domain.absent import ABSENT
from ordertrail.domain.contact import PROFILE, ContactChange
from ordertrail.domain.contact import READ_ONLY as CONTACT_READ_ONLY
from ordertrail.domain.deal import DETAILS, QUANTITY_MAX, READ_ONLY, DealChange, SentLine, Status
from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)
from ordertrail.domain.event import NewEvent
from ordertrail.domain.product import DETAILS as PRODUCT_DETAILS
from ordertrail.domain.product import EVENT_TYPES, NewProductEvent
from ordertrail.domain.product import READ_ONLY as PRODUCT_READ_ONLY
from ordertrail.wire import body, contacts, deals, errors, events, products

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        1767323045,
        Decimal("1767323045.0"),
        "1767323045",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000000Z",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02 03:04:05",
    ],
)
def test_a_time_is_read_in_every_spelling(written: object) -> None:
    assert body.moment("timestamp", written) == AT
    assert events.decode_event({"name": "x", "timestamp": written}).at == AT
    assert deals.decode_change({"won_at": written}).won_at == AT


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14))])))
@example(datetime(1, 1, 2, tzinfo=UTC))
@example(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
def test_a_time_that_was_written_is_read_back(at: datetime) -> None:
    try:
        written = body.iso(at)
    except OverflowError:
        return  # within hours of the first or last moment that a datetime holds
    assert len(written) == 27
    assert body.moment("at", written) == at


@pytest.mark.parametrize("value", [149.9, "149.90", "149.9", Decimal("149.90"), " 149.90 "])
def test_an_amount_is_read_as_number_or_text(value: object) -> None:
    sent = body.decode_object(body.encode({"value": value}))
    assert deals.decode_change(sent).value == Decimal("149.90")
    line = body.decode_object(
        body.encode({"order_products": [{"product_custom_id": "P", "value": value}]})
    )
    assert deals.decode_change(line).lines == (SentLine(1, 149_900_000, product_custom_id="P"),)


PRICES = {
    "19.9": [
        "€19.90",
        "19,90\u00a0€",
        "19.90 EUR",
        "EUR 19,9",
        "19.90",
        "19,90 zł",
        "US$19.90",
        19.9,
    ],
    "1299": [
        "1,299.00",
        "$ 1,299.00",
        "1.299,00 €",
        "1 299,00 zł",
        "1\u202f299,00",
        "CHF 1'299.00",
    ],
    "1234567.5": ["1,234,567.50", "1.234.567,50 EUR"],
    "1234567": ["1,234,567", "€1.234.567"],
    "5": ["$ 5", "5", "5kr"],
    "1.299": ["1.299", " 1.299 ", "1.2990 €"],
    "0.125": ["$0.125", "0,125"],
}


@pytest.mark.parametrize(("kept", "written"), [(k, v) for k, each in PRICES.items() for v in each])
def test_a_price_is_read_as_shops_write_it(kept: str, written: object) -> None:
    sent = body.decode_object(body.encode({"custom_id": "P", "price": written}))
    assert products.decode_new(sent)[1]["price"] == Decimal(kept)


UNCLEAR = ["1,299", "€1.299", "1.299 EUR"]
NO_PRICES = ["1,29,900", "1,299.00,5", "12 34", "5 kg", "5 XXX", "€5€", "€", "cheap", "5%", "1.2.3"]
NO_PRICES += ["\u0665 €", "€1e3", "1,234.567.890", "1,299\u00a0000"]


@pytest.mark.parametrize("written", UNCLEAR + NO_PRICES)
def test_a_price_that_is_none_or_may_be_two_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        products.decode_new({"custom_id": "P", "price": written})
    assert list(refused.value.fields) == ["price"]


@pytest.mark.parametrize("value", [True, "true", " True ", 1, False, "FALSE", 0])
def test_a_flag_is_read_in_every_spelling(value: object) -> None:
    wanted = value in (True, "true", " True ")
    assert body.flag("flag", value) is wanted
    assert contacts.decode_change({"unsubscribed": value}).profile == {"unsubscribed": wanted}


@pytest.mark.parametrize("value", [None, "", "yes", 2, -1, Decimal(1), [True], {}])
def test_what_is_no_flag_is_refused_by_field(value: object) -> None:
    with pytest.raises(Invalid) as refused:
        body.flag("flag", value)
    assert refused.value.fields.keys() == {"flag"}


def test_ids_are_read_as_numbers_too() -> None:
    sent = {
        "custom_id": 78523,
        "user_custom_id": 17,
        "products_custom_id": [5, "6"],
        "order_products": [{"product_custom_id": 5, "quantity": "2"}],
        "stage": "13",
        "status": "2",
    }
    change = deals.decode_change(sent)
    assert (change.custom_id, change.user_custom_id) == ("78523", "17")
    assert change.products_custom_id == ("5", "6")
    assert change.lines == (SentLine(2, 0, product_custom_id="5"),)
    assert (change.stage, change.status) == (13, Status.WON)
    assert contacts.decode_change({"custom_id": 0}).custom_id == "0"


def test_null_is_not_sent_except_where_it_clears() -> None:
    sent = dict.fromkeys(
        "custom_id user_id user_custom_id name pipeline stage status value currency"
        " order_products products products_custom_id".split()
    )
    assert deals.decode_change(sent) == DealChange()
    assert deals.decode_change({"won_at": None, "lost_at": None}).won_at is None
    assert contacts.decode_change({"email": None}).email is ABSENT
    assert contacts.decode_change({"email": ""}).email is None
    assert contacts.decode_change({}).email is ABSENT


def test_the_currency_is_read_in_any_case() -> None:
    assert deals.decode_change({"currency": " usd "}).currency == "USD"


@pytest.mark.parametrize("name", ["phone", "phone_number", "Phone", "Phone number"])
def test_a_phone_is_read_under_every_name_and_as_a_number(name: str) -> None:
    assert contacts.decode_change({name: 4912345}).profile == {"phone_number": "4912345"}


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        *(("gender", n, word) for n, word in enumerate(("unknown", "male", "female"), 1)),
        *(("status", n, word) for n, word in enumerate(("visitor", "user"), 1)),
        ("gender", "female", "female"),
        ("status", "user", "user"),
        ("score", "12", 12),
        ("assigned_to", 7, 7),
        *(("unsubscribed", written, True) for written in (True, "true", "True")),
        *(("notifications", written, False) for written in (False, "false", "False")),
        ("last_seen", 1767323045, "2026-01-02T03:04:05.000000Z"),
        ("first_seen", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05.000000Z"),
        ("last_contacted", None, None),
        ("gender", None, None),
    ],
)
def test_a_standard_field_of_a_contact_is_kept_as_what_it_is(
    name: str, written: object, read: object
) -> None:
    [kept] = contacts.decode_change({name: written}).profile.values()
    assert (kept, type(kept)) == (read, type(read))


def test_the_details_of_a_deal_are_kept_as_what_they_are() -> None:
    sent = {"expected_close_date": "20260331", "loss_reason": "5", "participants": ["7", 8]}
    assert deals.decode_change({**sent, "company_custom_id": 9, "assigned_to": None}).details == {
        "expected_close_date": "2026-03-31",
        "loss_reason": 5,
        "participants": [7, 8],
        "company_custom_id": "9",
        "assigned_to": None,
    }


def test_a_display_name_means_the_field_unless_the_field_is_sent() -> None:
    assert contacts.decode_change({"First name": "Ann"}).profile == {"first_name": "Ann"}
    both = {"First name": "old", "first_name": "Ann"}
    for sent in (both, dict(reversed(both.items()))):
        assert contacts.decode_change(sent).profile == {"first_name": "Ann"}
    change = deals.decode_change({"Stage": 2, "Gift Wrap": True, "Created At": "x"})
    assert (change.stage, change.attributes) == (2, {"gift_wrap": True})
    event = {"user_custom_id": "A", "event_type": "order", "data": {"Name": "Cup", "ID": 5}}
    assert products.decode_event(event).details == {"name": "Cup"}
    assert products.decode_event(event).attributes == {}


def test_what_is_told_only_is_not_taken_as_an_attribute() -> None:
    assert deals.decode_change(dict.fromkeys(READ_ONLY, 1)) == DealChange()
    assert contacts.decode_change(dict.fromkeys(CONTACT_READ_ONLY, 1)) == ContactChange()


# ---- what is said is read back ----

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
IDS = TEXT.filter(lambda text: bool(text.strip()))
NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=12).map(lambda t: "x" + t + "x")
NUMBERS = st.integers(-(10**12), 10**12) | st.decimals(
    -(10**9), 10**9, places=6, allow_nan=False, allow_infinity=False
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=4)
MOMENTS = st.integers(10**5, 4 * 10**15).map(
    lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)
SECONDS = MOMENTS.map(lambda at: at.replace(microsecond=0))
CODES = st.sampled_from(sorted(money.EXPONENTS))
DB_IDS = st.integers(0, 10**17)


def or_absent(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just(ABSENT) | values


DETAIL_VALUES = {
    "expected_close_date": st.dates().map(str),
    "loss_reason_description": TEXT,
    "participants": st.lists(DB_IDS, max_size=3),
    "company_custom_id": IDS,
}
PRICES = st.decimals(-(10**9), 10**9, places=4)
TIMES = MOMENTS.map(body.iso)
PROFILE_VALUES = {
    "gender": st.sampled_from(["unknown", "male", "female"]),
    "status": st.sampled_from(["visitor", "user"]),
    **dict.fromkeys(("unsubscribed", "notifications"), st.booleans()),
    **dict.fromkeys(("score", "assigned_to"), DB_IDS),
    **dict.fromkeys(("first_seen", "last_seen", "last_contacted"), TIMES),
}


def fields(
    names: frozenset[str], values: Mapping[str, st.SearchStrategy[Any]], other: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields, each with a value of its kind, or null."""
    each = {name: st.none() | values.get(name, other) for name in sorted(names)}
    return st.fixed_dictionaries({}, optional=each)


LINES = st.builds(
    SentLine,
    quantity=st.integers(1, QUANTITY_MAX),
    price_micros=st.integers(-(10**15), 10**15),
    product_id=st.none() | DB_IDS,
    product_custom_id=IDS,
    currency=st.none() | CODES,
)
DEAL_CHANGES = st.builds(
    DealChange,
    custom_id=st.none() | IDS,
    user_id=or_absent(DB_IDS),
    user_custom_id=or_absent(IDS),
    name=or_absent(TEXT),
    pipeline=or_absent(DB_IDS),
    stage=or_absent(DB_IDS),
    status=or_absent(st.sampled_from(Status)),
    value=or_absent(PRICES),
    currency=or_absent(CODES),
    won_at=or_absent(st.none() | MOMENTS),
    lost_at=or_absent(st.none() | MOMENTS),
    lines=or_absent(st.lists(LINES, max_size=3).map(tuple)),
    product_ids=or_absent(st.lists(DB_IDS, max_size=3).map(tuple)),
    products_custom_id=or_absent(st.lists(IDS, max_size=3).map(tuple)),
    details=fields(DETAILS, DETAIL_VALUES, DB_IDS),
    attributes=ATTRIBUTES,
)
CONTACT_CHANGES = st.builds(
    ContactChange,
    custom_id=st.none() | IDS,
    email=or_absent(st.none() | TEXT),
    profile=fields(PROFILE, PROFILE_VALUES, TEXT),
    attributes=ATTRIBUTES,
)
PRODUCT_EVENTS = st.builds(
    NewProductEvent,
    event_type=st.sampled_from(EVENT_TYPES),
    user_id=st.none() | DB_IDS,
    user_custom_id=IDS,
    at=st.none() | SECONDS,
    custom_data=st.dictionaries(TEXT, VALUES, max_size=3),
    details=fields(PRODUCT_DETAILS, {"price": PRICES}, TEXT),
    attributes=ATTRIBUTES,
)
EVENTS = st.builds(NewEvent, TEXT, st.none() | SECONDS, st.dictionaries(TEXT, VALUES, max_size=3))


def on_the_wire(said: Mapping[str, Any]) -> dict[str, Any]:
    return body.decode_object(body.encode(said))


@given(DEAL_CHANGES)
def test_a_deal_change_is_read_as_it_was_said(change: DealChange) -> None:
    assert deals.decode_change(on_the_wire(deals.encode_change(change))) == change


@given(CONTACT_CHANGES)
def test_a_contact_change_is_read_as_it_was_said(change: ContactChange) -> None:
    assert contacts.decode_change(on_the_wire(contacts.encode_change(change))) == change


@given(PRODUCT_EVENTS)
def test_a_product_event_is_read_as_it_was_said(event: NewProductEvent) -> None:
    assert products.decode_event(on_the_wire(products.encode_event_request(event))) == event


@given(EVENTS)
def test_an_event_is_read_as_it_was_said(event: NewEvent) -> None:
    assert events.decode_event(on_the_wire(events.encode_event_request(event))) == event


@pytest.mark.parametrize(
    "error",
    [
        Invalid({"stage": "no stage 99", "value": "must be a number"}),
        Unauthorised("who?"),
        Forbidden("no"),
        NotFound("nobody"),
        Conflict("not now"),
    ],
)
def test_a_refusal_is_read_as_it_was_said(error: Refused) -> None:
    status, said = errors.encode(error)
    read = errors.decode(status, msgspec.json.decode(msgspec.json.encode(said)), None)
    assert type(read) is type(error)
    assert str(read) == str(error)
    if isinstance(error, Invalid):
        assert isinstance(read, Invalid)
        assert read.fields == error.fields


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_time_will_mend_is_unavailable(status: int) -> None:
    read = errors.decode(status, "gateway", 3.0)
    assert isinstance(read, Unavailable)
    assert read.retry_after_s == 3.0


@given(st.integers(400, 599), VALUES, st.none() | st.floats(0, 1000))
def test_an_answer_of_any_shape_is_an_error_one_can_act_on(
    status: int, said: object, wait_s: float | None
) -> None:
    assert isinstance(errors.decode(status, said, wait_s), Refused | Unavailable)


# ---- what is not understood is refused, and never anything else ----

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.sampled_from(["9" * 5000, "1e9999999", "-1", "NaN", "2026-01-01", "0" * 300, "\0", " "]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20), inner, max_size=4)
    ),
    max_leaves=12,
)
KNOWN = sorted(
    {*PROFILE, *DETAILS, *READ_ONLY, *CONTACT_READ_ONLY, *PRODUCT_READ_ONLY, *PRODUCT_DETAILS}
    | set("custom_id email phone user_id user_custom_id name pipeline stage status value".split())
    | set("currency won_at lost_at order_products products products_custom_id data".split())
    | set("event_type timestamp custom_data".split())
)
BODIES = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=8), JSON, max_size=8)
DECODERS: list[Callable[[dict[str, Any]], object]] = [
    deals.decode_change,
    contacts.decode_change,
    products.decode_event,
    events.decode_event,
]


def refusal(read: Callable[[], object]) -> Invalid | None:
    """What the reader refuses, with a field and a reason for each; None when it reads."""
    try:
        assert read() is not None
    except Invalid as refused:
        return refused if all(map(all, refused.fields.items())) else Invalid({})
    return None


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__module__)
@given(sent=BODIES)
@example(sent={"value": "1e9999999"})
@example(sent={"stage": "9" * 5000})
@example(sent={"first_name": 5})
@example(sent={"order_products": [{"product_custom_id": "P", "quantity": "9" * 5000}]})
def test_any_object_is_read_or_refused_by_field(
    decode: Callable[[dict[str, Any]], object], sent: dict[str, Any]
) -> None:
    refused = refusal(lambda: decode(body.decode_object(msgspec.json.encode(sent))))
    assert refused is None or refused.fields


@given(st.binary(max_size=200) | JSON.map(msgspec.json.encode))
@example(b"1e99999999999999999999")
@example(b'{"a": 0e9999999}')
@example(b'{"a": -1e9999999}')
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    refused = refusal(lambda: body.decode_object(raw))
    assert refused is None or refused.fields


@given(JSON)
def test_what_is_read_can_be_kept_and_said_again(value: object) -> None:
    """No NUL, no endless number, no depth: whatever was let in is let out the same."""
    try:
        read = body.decode(msgspec.json.encode(value))
    except Invalid:
        return
    assert body.decode(body.encode(read)) == read
    assert "\\u0000" not in body.encode(read).decode().replace("\\\\", "")


@pytest.mark.parametrize("levels", [31, 32, 33, 34, 500])
def test_nesting_ends_at_its_limit(levels: int) -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        raw = opened * levels + b"1" + closed * levels
        if levels <= body.DEPTH_MAX:
            body.decode(raw)
        else:
            with pytest.raises(Invalid, match="nested deeper"):
                body.decode(raw)


@pytest.mark.parametrize(
    ("raw", "fits"),
    [
        (b"999999999999999999", True),
        (b"1000000000000000000", False),
        (b"-1000000000000000000", False),
        (b"0.000000000000000001", True),
        (b"0.0000000000000000001", False),
        (b"1e17", True),
        (b"1e18", False),
        (b"1.5E+17", True),
        (b'"\\u0000"', False),
        (b'"\\\\u0000"', True),
        (b'{"\\u0000": 1}', False),
        (b'["x", {"y": ["z\\u0000"]}]', False),
    ],
)
def test_what_can_be_kept_ends_at_its_limit(raw: bytes, fits: bool) -> None:
    if fits:
        body.decode(raw)
    else:
        with pytest.raises(Invalid):
            body.decode(raw)


def test_names_are_folded_to_one() -> None:
    for spelt in ("Verified Member", "verified_member", " VERIFIED-member ", "verified__member"):
        assert attribute.standard_name(spelt).replace("__", "_") == "verified_member"
