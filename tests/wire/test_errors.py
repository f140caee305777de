"""What a status says to whoever sent the call: whether to change it, and whether it was done."""

import pytest

from ordertrail.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
)
from ordertrail.wire import errors


@pytest.mark.parametrize(
    ("status", "is_throttled", "is_busy", "is_unsure"),
    [
        (408, False, False, True),
        (425, False, False, False),
        (429, True, True, False),
        (500, False, False, True),
        (501, False, False, True),
        (502, False, False, True),
        (503, False, True, False),
        (504, False, False, True),
        (520, False, False, True),
        (599, False, False, True),
    ],
)
def test_what_may_be_sent_again_tells_whether_it_may_have_been_carried_out(
    status: int, is_throttled: bool, is_busy: bool, is_unsure: bool
) -> None:
    failure = errors.decode(status, {"detail": "later"}, 3.5)
    assert isinstance(failure, Unavailable)
    told = failure.is_throttled, failure.is_busy, failure.is_unsure
    assert told == (is_throttled, is_busy, is_unsure)
    assert (str(failure), failure.retry_after_s) == ("later", 3.5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (100, Refused),
        (301, Refused),
        (304, Refused),
        (400, Invalid),
        (401, Unauthorised),
        (402, Refused),
        (403, Forbidden),
        (404, NotFound),
        (405, Refused),
        (409, Conflict),
        (410, Refused),
        (413, Refused),
        (415, Refused),
        (422, KeyReused),
        (451, Refused),
    ],
)
def test_what_must_change_is_refused(status: int, kind: type[Refused]) -> None:
    assert type(errors.decode(status, {"detail": "because"}, None)) is kind


@pytest.mark.parametrize("kind", [Unauthorised, Forbidden, NotFound, Conflict])
def test_a_refusal_is_the_same_on_both_ends(kind: type[Refused]) -> None:
    status, said = errors.encode(kind("because"))
    failure = errors.decode(status, said, None)
    assert (type(failure), str(failure)) == (kind, "because")


def test_wrong_fields_are_the_same_on_both_ends() -> None:
    status, said = errors.encode(Invalid({"stage": "no stage 9", "value": "must be a number"}))
    failure = errors.decode(status, said, None)
    assert isinstance(failure, Invalid)
    assert failure.fields == {"stage": "no stage 9", "value": "must be a number"}


@pytest.mark.parametrize("body", [None, [], "no", 7, {}, {"detail": None}, {"errors": []}])
@pytest.mark.parametrize("status", [400, 404, 418, 429, 500])
def test_any_body_makes_an_error_that_says_something(status: int, body: object) -> None:
    assert str(errors.decode(status, body, None))
