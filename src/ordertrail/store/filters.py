"""Filters as SQL: fields become columns or places in JSON, values are always parameters."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ordertrail.domain.errors import Invalid
from ordertrail.domain.filter import Filter, Op, as_moment, as_number
from ordertrail.domain.identity import folded_email
from ordertrail.kit import clock
from ordertrail.kit.database import Value
from ordertrail.kit.wording import either
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
_TIME_IN_SQLITE = "{0} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
_TIME_IN_POSTGRES = "{0} ~ '^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"


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
            return _exact_number(column.exact, sought, name)
        value = folded_email(sought.value) if column.kind is Kind.EMAIL else sought.value
        return Condition(column.exact.format(value=f":{name}"), {name: value})
    match column.kind:
        case Kind.TEXT:
            return _text(column.sql, sought.op, sought.value, name)
        case Kind.EMAIL:
            return _text(column.sql, sought.op, folded_email(sought.value), name)
        case Kind.FLAG:
            return _flag(column.sql, sought, name)
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
            start = f"length({sql}) - length(:{name}) + 1"
            return Condition(f"substr({sql}, {start}) = :{name}", {name: value})
        case Op.CONTAINS:
            return Condition(f"instr({sql}, :{name}) > 0", {name: value})
    spelt = [value] if value.isascii() else [value, value.lower(), value.upper(), value.title()]
    patterns = {
        f"{name}_{place}": _PATTERNS[op].format(_escaped(each))
        for place, each in enumerate(dict.fromkeys(spelt))
    }
    found = " OR ".join(f"{sql} @like :{each} ESCAPE '\\'" for each in patterns)
    return Condition(f"({found})", {**patterns})


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _flag(sql: str, sought: Filter, name: str) -> Condition:
    said = sought.value.strip().lower()
    return _text(sql, _IN_ANY_CASE.get(sought.op, sought.op), _FLAGS.get(said, said), name)


def _number(sql: str, sought: Filter, name: str) -> Condition:
    if sought.op not in _SIGNS:
        return _text(_digits(sql), sought.op, sought.value, name)
    _check_number(sought)
    return _compared_number(sql, sought.op, sought.value, name)


def _exact_number(exact: str, sought: Filter, name: str) -> Condition:
    _check_number(sought)
    number = as_number(sought.value)
    if number is None or number != int(number):
        return Condition("false")
    return Condition(exact.format(value=f":{name}"), {name: int(number)})


def _check_number(sought: Filter) -> None:
    if as_number(sought.value) is None:
        raise Invalid({sought.sent_as or sought.field: "must be a number"})


def _compared_number(sql: str, op: Op, value: str, name: str) -> Condition:
    number = as_number(value)
    if number is not None and number == int(number):
        return Condition(f"{sql} {_SIGNS[op]} :{name}", {name: int(number)})
    return Condition(f"{sql} {_SIGNS[op]} CAST(:{name} AS NUMERIC)", {name: value.strip()})


def _digits(sql: str) -> str:
    shown = f"trim_scale(CAST({sql} AS NUMERIC))"
    return f"CAST({either(sql, shown)} AS TEXT)"


def _moment(sql: str, sought: Filter, name: str) -> Condition:
    if sought.op not in _SIGNS:
        shown = either(
            f"strftime('%Y-%m-%dT%H:%M:%S', {sql} / 1000000, 'unixepoch')",
            f"to_char(to_timestamp({sql} / 1000000) AT TIME ZONE 'UTC',"
            " 'YYYY-MM-DD\"T\"HH24:MI:SS')",
        )
        return _text(shown, sought.op, sought.value, name)
    at = as_moment(sought.value)
    if at is None:
        raise Invalid({sought.sent_as or sought.field: "must be UNIX seconds or an ISO 8601 time"})
    return Condition(f"{sql} {_SIGNS[sought.op]} :{name}", {name: clock.to_micros(at)})


@dataclass(frozen=True, slots=True)
class _Place:
    """A value within a JSON column, as each database names it: by a path, or by its key."""

    sql: str
    name: str

    @property
    def in_sqlite(self) -> str:
        return f"({self.sql} ->> :{self.name}_path)"

    @property
    def in_postgres(self) -> str:
        return f'(({self.sql} ->> :{self.name}_key) COLLATE "C")'

    @property
    def text(self) -> str:
        return either(self.in_sqlite, self.in_postgres)

    @property
    def number(self) -> str:
        return either(self.in_sqlite, f"CAST({self.in_postgres} AS NUMERIC)")

    @property
    def flag(self) -> str:
        return either(f"json_type({self.sql}, :{self.name}_path)", self.in_postgres)

    def is_a(self, in_sqlite: str, in_postgres: str) -> str:
        """Whether it is of a type, as each database calls them."""
        return either(
            f"json_type({self.sql}, :{self.name}_path) IN ({in_sqlite})",
            f"json_typeof({self.sql} -> :{self.name}_key) = '{in_postgres}'",
        )

    def parameters(self, field: str) -> dict[str, Value]:
        """Both names of the value."""
        return {f"{self.name}_path": f'$."{field}"', f"{self.name}_key": field}


def _json(sql: str, sought: Filter, name: str) -> Condition:
    """Compare a value in JSON as what it is in each row: text, number, time, true or false."""
    place = _Place(sql, name)
    flag = _flag(place.flag, sought, f"{name}_flag")
    if sought.op in _SIGNS:
        number = _json_number(place, sought, f"{name}_number")
        text = _json_text(place, sought, f"{name}_text")
    else:
        shown = either(f"CAST({place.in_sqlite} AS TEXT)", place.in_postgres)
        number = text = _text(shown, sought.op, sought.value, f"{name}_text")
    is_flag = place.is_a("'true', 'false'", "boolean")
    is_number = place.is_a("'integer', 'real'", "number")
    is_null = place.is_a("'null'", "null")
    where = (
        f"CASE WHEN {is_flag} THEN {flag.where} WHEN {is_number} THEN {number.where}"
        f" WHEN {is_null} THEN false"
        f" ELSE {text.where} END"
    )
    used = {**flag.parameters, **number.parameters, **text.parameters}
    return Condition(where, {**place.parameters(sought.field), **used})


def _json_number(place: _Place, sought: Filter, name: str) -> Condition:
    if as_number(sought.value) is None:
        return Condition("false")
    return _compared_number(place.number, sought.op, sought.value, name)


def _json_text(place: _Place, sought: Filter, name: str) -> Condition:
    """Compare text; times by when they are, however they are written, to the millisecond."""
    plain = _text(place.text, sought.op, sought.value, name)
    at = as_moment(sought.value)
    if at is None:
        return plain
    millis = (at - _EPOCH + timedelta(microseconds=500)) // timedelta(milliseconds=1)
    is_time = either(
        _TIME_IN_SQLITE.format(place.in_sqlite), _TIME_IN_POSTGRES.format(place.in_postgres)
    )
    then = either(
        f"CAST(round(unixepoch({place.in_sqlite}, 'subsec') * 1000) AS INTEGER)",
        f"(moment_micros({place.in_postgres}) + 500) / 1000",
    )
    where = (
        f"coalesce(CASE WHEN {is_time} THEN"
        f" {then} {_SIGNS[sought.op]} :{name}_at END, {plain.where})"
    )
    return Condition(where, {**plain.parameters, f"{name}_at": millis})
