"""JSON bodies and the fields in them: what a value must look like, said by field."""

import functools
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal, DecimalException
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import msgspec

from ordertrail.domain import moment as moments
from ordertrail.domain import money
from ordertrail.domain.attribute import NAME_LENGTH_MAX, standard_name
from ordertrail.domain.errors import Invalid

DEPTH_MAX = 32
NUMBER_MAX = 10**18
DECIMALS_MAX = 18
ID_LENGTH_MAX = 255
ID_MAX = 2**63 - 1
FORM_FIELDS_MAX = 1_000

_SHAPES = bytes.maketrans(b"0123456789.eE", b"00000000000ee")
_LONG_NUMBER, _EXPONENT, _NUL = b"0" * 17, b"0e", b"\\u0000"

_DIGITS = re.compile(r"\s*[0-9]{1,19}\s*", re.ASCII)

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")

_NUMBERS = (int, Decimal, str)
Read = Callable[[str, Any], Any]


def encode(value: object) -> bytes:
    """Return the value as JSON; decimals become numbers with all their digits."""
    return _encoder.encode(value)


def parse(raw: bytes) -> Any:
    """Return what the JSON says, with numbers as int or Decimal; raises Invalid when it is none."""
    if not raw.strip():
        raise Invalid({"body": "is empty: send a JSON object"})
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, DecimalException) as error:
        raise Invalid({"body": f"is not JSON: {error}"}) from None
    except RecursionError:
        raise Invalid({"body": f"is nested deeper than {DEPTH_MAX} levels"}) from None


def decode(raw: bytes) -> Any:
    """Return what the JSON says; raises Invalid also for what no database should keep."""
    value = parse(raw)
    if _is_suspect(raw):
        _check(value, "body", DEPTH_MAX)
    return value


def decode_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; raises Invalid when it is anything else."""
    value = decode(raw)
    if not isinstance(value, dict):
        raise Invalid({"body": "must be a JSON object"})
    return value


def decode_form(raw: bytes) -> dict[str, Any]:
    """Return the fields of a form as JSON would say them: texts; raises Invalid for none."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError:
        raise Invalid({"body": "is no form in percent-encoded UTF-8"}) from None
    sent = dict(pairs)
    _check(sent, "body", DEPTH_MAX)
    return sent


def identifier(field: str, value: object) -> str:
    """Read an id of the shop: text as it is, a whole number as its digits."""
    if isinstance(value, str) and 0 < len(value) <= ID_LENGTH_MAX and not value.isspace():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Invalid({field: f"must be text of 1 to {ID_LENGTH_MAX} characters"})


def text(length_max: int) -> Read:
    """Return a reader of text of at most so many characters."""

    def read(field: str, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= length_max:
            raise Invalid({field: f"must be text of 1 to {length_max} characters"})
        return value

    return read


def whole(field: str, value: object) -> int:
    """Read a whole number, also from text of digits."""
    if type(value) is int and 0 <= value <= ID_MAX:
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ID_MAX:
        raise Invalid({field: "must be a whole number"})
    return value


def flag(field: str, value: object) -> bool:
    """Read true or false, also from their words, and from 1 and 0."""
    said = value.strip().lower() if isinstance(value, str) else value
    if said in ("true", "false"):
        return said == "true"
    if isinstance(said, int) and said in (0, 1):
        return bool(said)
    raise Invalid({field: "must be true or false"})


def number(field: str, value: object) -> Decimal:
    """Read a decimal number, also from text."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise Invalid({field: "must be a number"})
    return money.decimal(value, field)


def exact(field: str, value: object) -> Decimal:
    """Read a decimal number, also from text, that can be kept with all its digits."""
    read = number(field, value)
    _check(read, field, 0)
    return read


def currency(_field: str, value: object) -> str:
    """Read an ISO 4217 code."""
    return money.currency(value)


def moment(field: str, value: object) -> datetime:
    """Read a time: UNIX seconds, or ISO 8601, taken as UTC when it names no zone."""
    at = moments.read(value)
    if at is not None:
        return at
    is_long = isinstance(value, int | Decimal) or (isinstance(value, str) and value.isdecimal())
    if is_long and not isinstance(value, bool) and Decimal(value) >= moments.SECONDS_MAX:  # type: ignore[arg-type]
        raise Invalid({field: "must be UNIX seconds; this looks like milliseconds"})
    raise Invalid({field: "must be UNIX seconds or an ISO 8601 time"})


def day(field: str, value: object) -> str:
    """Read a date in ISO 8601, and return it so."""
    try:
        return date.fromisoformat(value).isoformat() if isinstance(value, str) else _no_day(field)
    except ValueError:
        return _no_day(field)


def _no_day(field: str) -> NoReturn:
    raise Invalid({field: "must be a date such as 2026-03-31"}) from None


def optional_moment(field: str, value: object) -> datetime | None:
    """Read a time that may be null."""
    return None if value is None else moment(field, value)


def mapping(field: str, value: object) -> dict[str, Any]:
    """Read a JSON object."""
    if not isinstance(value, dict):
        raise Invalid({field: "must be an object"})
    return value


def many(read: Read, items_max: int) -> Read:
    """Return a reader of a list of at most so many items, each read by the given reader."""

    def read_all(field: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Invalid({field: "must be a list"})
        if len(value) > items_max:
            raise Invalid({field: f"must have at most {items_max} items"})
        return tuple([read(_place(field, place), item) for place, item in enumerate(value)])

    return read_all


@functools.lru_cache(maxsize=1_000)
def _place(field: str, place: int) -> str:
    return f"{field}[{place}]"


def fields(sent: Mapping[str, Any], readers: Mapping[str, Read]) -> dict[str, Any]:
    """Read the known fields that were sent, leaving out nulls; raises Invalid naming all wrong."""
    known, wrong = sorted_out(sent, readers)
    if wrong:
        raise Invalid(wrong)
    return known


def sorted_out(
    sent: Mapping[str, Any], readers: Mapping[str, Read]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the known fields that were sent, leaving out nulls; and say what is wrong."""
    known: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in sent.items():
        read = readers.get(name)
        if read is not None and (value is not None or read is optional_moment):
            try:
                known[name] = read(name, value)
            except Invalid as error:
                wrong.update(error.fields)
    return known, wrong


def require(sent: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    """Raise Invalid naming each wanted field that is null or was not sent, and what it is."""
    missing = {
        name: f"is required: {what}" for name, what in wanted.items() if sent.get(name) is None
    }
    if missing:
        raise Invalid(missing)


def under_known_names(sent: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return the fields that were sent under the names by which they are kept.

    A name that differs from a known one by case or blanks only ("First name") means that one,
    unless the known name itself was sent too.
    """
    return {kept: sent[name] for kept, name in _meant(sent, known).items()}


def _meant(sent: Mapping[str, Any], known: Collection[str]) -> dict[str, str]:
    """The names by which fields are kept, each with the one of those sent that counts for it."""
    meant = {standard_name(name): name for name in sent if name not in known}
    meant.update((name, name) for name in sent if name in known)
    return meant


def flattened(sent: dict[str, Any]) -> dict[str, Any]:
    """Return a body without what some clients make of attributes: an object or list of its own."""
    nested = sent.get("attributes")
    if isinstance(nested, list) and all(isinstance(each, dict) for each in nested):
        named = [(each.get("name_std") or each.get("name"), each.get("value")) for each in nested]
        if all(isinstance(name, str) for name, _ in named):
            nested = dict(named)
    if not isinstance(nested, dict):
        return sent
    return {**nested, **{name: value for name, value in sent.items() if name != "attributes"}}


def unnoticed(
    sent: Mapping[str, Any], known: frozenset[str], read_only: frozenset[str]
) -> list[str]:
    """Return warnings about what is not taken as it was meant, most likely."""
    said = []
    meant = _meant(sent, known)
    for name in sent:
        kept = name if name in known else standard_name(name)
        if kept in read_only:
            said.append(f"{name}: ignored: it is told, not set")
        elif len(meant) < len(sent) and meant[kept] != name:
            said.append(f"{name}: ignored: {meant[kept]} means the same, and was sent too")
        elif kept not in known and (near := _near(kept, known)):
            said.append(f"{name}: kept as the attribute {kept}; the field is called {near}")
    return said


@functools.lru_cache(maxsize=10_000)
def _near(name: str, known: frozenset[str]) -> str | None:
    """The field that the name of an attribute differs from by underscores alone."""
    squashed = name.replace("_", "")
    return next((each for each in sorted(known) if each.replace("_", "") == squashed), None)


@functools.lru_cache(maxsize=1_000)
def iso(at: datetime | date) -> str:
    """Return a time as the API writes it: UTC, with microseconds and Z."""
    if not isinstance(at, datetime):
        return at.isoformat()
    return moments.iso(at)


def optional_iso(at: datetime | None) -> str | None:
    """Return a time that may be missing as the API writes it."""
    return None if at is None else iso(at)


def _is_suspect(raw: bytes) -> bool:
    """Tell whether there may be a NUL, a number beyond the limits or deep nesting in a body.

    Most have nothing of it, and looking at the bytes is quicker than at every value.
    """
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX or _NUL in raw:
        return True
    shapes = raw.translate(_SHAPES)
    return _LONG_NUMBER in shapes or _EXPONENT in shapes


def _check(value: object, where: str, levels: int) -> None:
    """Refuse what JSON allows and no database should keep: NUL, endless numbers, deep nesting."""
    if isinstance(value, str):
        if "\0" in value:
            raise Invalid({where: "must not contain a NUL character"})
    elif isinstance(value, dict):
        _check_room(where, levels)
        for name, item in value.items():
            _check(name, where, 0)
            _check(item, name.strip()[:NAME_LENGTH_MAX] or where, levels - 1)
    elif isinstance(value, list):
        _check_room(where, levels)
        for item in value:
            _check(item, where, levels - 1)
    elif isinstance(value, int):
        if not -NUMBER_MAX < value < NUMBER_MAX:
            raise Invalid({where: "is a number too large to keep"})
    elif isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        is_long = not isinstance(exponent, int) or abs(exponent) > DECIMALS_MAX
        if is_long or value.copy_abs() >= NUMBER_MAX:
            raise Invalid({where: "is a number with too many digits to keep"})


def _check_room(where: str, levels: int) -> None:
    if levels <= 0:
        raise Invalid({where: f"is nested deeper than {DEPTH_MAX} levels"})
