"""Filters as SQL: fields become columns or places in JSON, values are always parameters."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ordertrail.domain.errors import Invalid
from ordertrail.domain.filter import Filter, Op, as_moment, as_number
from ordertrail.domain.identity import folded_email
from ordertrail.kit import clock
from ordertrail.store.listing import EVERYTHING, Condition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS = {Op.EXACT: "=", Op.GTE: ">=", Op.GT: ">", Op.LTE: "<=", Op.LT: "<"}
_IN_ANY_CASE = {
    Op.STARTSWITH: Op.ISTARTSWITH,
    Op.ENDSWITH: Op.IENDSWITH,
    Op.CONTAINS: Op.ICONTAINS,
}
_PATTERNS = {Op.ISTARTSWITH: "{}%", Op.IENDSWITH: "%{}", Op.ICONTAINS: "%{}%"}
_FLAGS = {"1": "true", "0": "false", "yes": "true", "no": "false"}
_LOOKS_LIKE_TIME = "GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"


class Kind(enum.Enum):
    """What a column holds."""

    TEXT = enum.auto()
    EMAIL = enum.auto()
    """Text that was folded as e-mails are compared."""
    NUMBER = enum.auto()
    FLAG = enum.auto()
    MOMENT = enum.auto()
    """Microseconds since 1970."""
    JSON = enum.auto()
    """An object; the filter's field is the name of a value in it."""


@dataclass(frozen=True, slots=True)
class Column:
    """What stands behind a field: SQL over the list's alias.

    `exact` is the condition that finds equal ones faster, or more of them; it names the value as
    `{value}`. `within` is the condition on the list's rows that the one on `sql` is a part of, at
    `{}`. `words` are what the numbers from 1 on stand for.
    """

    sql: str
    kind: Kind = Kind.TEXT
    exact: str = ""
    within: str = "{}"
    words: tuple[str, ...] = ()


def compiled(
    filters: Sequence[Filter], columns: Mapping[str, Column], attributes: Column
) -> Condition:
    """Return the condition that all of the filters hold.

    A field that no column is named for is a value in the column `attributes`. Raises Invalid for
    a value that the field can never have.
    """
    condition = EVERYTHING
    for number, each in enumerate(filters):
        column = columns.get(each.field, attributes)
        found = _condition(column, _in_words(column, each), f"filter{number}")
        there = Condition(column.within.format(found.where), found.parameters)
        condition = condition.and_also(there)
    return condition


def _in_words(column: Column, sought: Filter) -> Filter:
    numbers = {str(number): word for number, word in enumerate(column.words, 1)}
    return replace(sought, value=numbers.get(sought.value.strip(), sought.value))


def _condition(column: Column, sought: Filter, name: str) -> Condition:
    if sought.op is Op.EXACT and column.exact:
        if column.kind is Kind.NUMBER:
            _check_number(sought)
        value = folded_email(sought.value) if column.kind is Kind.EMAIL else sought.value
        return Condition(column.exact.format(value=f":{name}"), {name: value})
    match column.kind:
        case Kind.TEXT:
            return _text(column.sql, sought.op, sought.value, name)
        case Kind.EMAIL:
            return _text(column.sql, sought.op, folded_email(sought.value), name)
        case Kind.FLAG:
            return _flag(f"iif({column.sql}, 'true', 'false')", sought, name)
        case Kind.NUMBER:
            return _number(column.sql, sought, name)
        case Kind.MOMENT:
            return _moment(column.sql, sought, name)
        case Kind.JSON:
            return _json(column.sql, sought, name)


def _text(sql: str, op: Op, value: str, name: str) -> Condition:
    """Compare text; LIKE knows the case of ASCII alone, so others are looked for in each."""
    if op in _SIGNS:
        return Condition(f"{sql} {_SIGNS[op]} :{name}", {name: value})
    match op:
        case Op.STARTSWITH:
            return Condition(f"substr({sql}, 1, length(:{name})) = :{name}", {name: value})
        case Op.ENDSWITH:
            return Condition(f"substr({sql}, -length(:{name})) = :{name}", {name: value})
        case Op.CONTAINS:
            return Condition(f"instr({sql}, :{name}) > 0", {name: value})
    spelt = [value] if value.isascii() else [value, value.lower(), value.upper(), value.title()]
    patterns = {
        f"{name}_{place}": _PATTERNS[op].format(_escaped(each))
        for place, each in enumerate(dict.fromkeys(spelt))
    }
    found = " OR ".join(f"{sql} LIKE :{each} ESCAPE '\\'" for each in patterns)
    return Condition(f"({found})", {**patterns})


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _flag(sql: str, sought: Filter, name: str) -> Condition:
    said = sought.value.strip().lower()
    return _text(sql, _IN_ANY_CASE.get(sought.op, sought.op), _FLAGS.get(said, said), name)


def _number(sql: str, sought: Filter, name: str) -> Condition:
    if sought.op not in _SIGNS:
        return _text(f"CAST({sql} AS TEXT)", sought.op, sought.value, name)
    _check_number(sought)
    return _compared_number(sql, sought.op, sought.value, name)


def _check_number(sought: Filter) -> None:
    if as_number(sought.value) is None:
        raise Invalid({sought.sent_as or sought.field: "must be a number"})


def _compared_number(sql: str, op: Op, value: str, name: str) -> Condition:
    return Condition(f"{sql} {_SIGNS[op]} CAST(:{name} AS NUMERIC)", {name: value.strip()})


def _moment(sql: str, sought: Filter, name: str) -> Condition:
    if sought.op not in _SIGNS:
        shown = f"strftime('%Y-%m-%dT%H:%M:%S', {sql} / 1000000, 'unixepoch')"
        return _text(shown, sought.op, sought.value, name)
    at = as_moment(sought.value)
    if at is None:
        raise Invalid({sought.sent_as or sought.field: "must be UNIX seconds or an ISO 8601 time"})
    return Condition(f"{sql} {_SIGNS[sought.op]} :{name}", {name: clock.to_micros(at)})


def _json(sql: str, sought: Filter, name: str) -> Condition:
    """Compare a value in JSON as what it is in each row: text, number, time, true or false."""
    path = f"{name}_path"
    kind, value = f"json_type({sql}, :{path})", f"{sql} ->> :{path}"
    flag = _flag(kind, sought, f"{name}_flag")
    if sought.op in _SIGNS:
        number = _json_number(value, sought, f"{name}_number")
        text = _json_text(value, sought, f"{name}_text")
    else:
        number = text = _text(f"CAST({value} AS TEXT)", sought.op, sought.value, f"{name}_text")
    where = (
        f"CASE WHEN {kind} IN ('true', 'false') THEN {flag.where}"
        f" WHEN {kind} IN ('integer', 'real') THEN {number.where}"
        f" WHEN {kind} = 'null' THEN false"
        f" ELSE {text.where} END"
    )
    used = {**flag.parameters, **number.parameters, **text.parameters}
    return Condition(where, {path: f'$."{sought.field}"', **used})


def _json_number(value: str, sought: Filter, name: str) -> Condition:
    if as_number(sought.value) is None:
        return Condition("false")
    return _compared_number(f"({value})", sought.op, sought.value, name)


def _json_text(value: str, sought: Filter, name: str) -> Condition:
    """Compare text; times by when they are, however they are written, to the millisecond."""
    plain = _text(f"({value})", sought.op, sought.value, name)
    at = as_moment(sought.value)
    if at is None:
        return plain
    millis = (at - _EPOCH + timedelta(microseconds=500)) // timedelta(milliseconds=1)
    then = f"CAST(round(unixepoch({value}, 'subsec') * 1000) AS INTEGER)"
    where = (
        f"coalesce(CASE WHEN ({value}) {_LOOKS_LIKE_TIME} THEN"
        f" {then} {_SIGNS[sought.op]} :{name}_at END, {plain.where})"
    )
    return Condition(where, {**plain.parameters, f"{name}_at": millis})
