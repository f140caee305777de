"""Filters in the query of a list: `<field>=` and `<field>__<op>=`, all of which must hold."""

from collections.abc import Callable, Collection, Mapping

from ordertrail.domain.attribute import standard_name
from ordertrail.domain.errors import Invalid
from ordertrail.domain.filter import FILTERS_MAX, VALUE_LENGTH_MAX, Filter, Op, as_moment

_RANGE = ("search", "min", "max")
_OF_PAGES = ("page", "page_size", "limit", "offset", "ordering", "format", "per_page")
"""What other APIs take and this one does not; no field is meant by them."""

RANGE_QUERIES = _RANGE
"""The queries of a range in time: its field, and from when to when."""


def decode(
    queries: Mapping[str, str],
    *,
    known: Collection[str],
    dates: Collection[str],
    besides: Collection[str] = (),
    named: Callable[[str], str] = lambda name: name,
) -> tuple[Filter, ...]:
    """Read the filters in a query; one without a value is none.

    `known` are the standard fields, `dates` those that a range may be of, `besides` what is no
    filter. `named` gives the name of today for an older one.
    """
    taken = {"cursor", *_RANGE, *_OF_PAGES, *besides}
    filters = [
        _filter(name, value, known, named)
        for name, value in queries.items()
        if name not in taken and value
    ]
    filters += _range(queries, dates)
    if len(filters) > FILTERS_MAX:
        raise Invalid({"query": f"has more than {FILTERS_MAX} filters"})
    return tuple(filters)


def flag(name: str, value: str | None) -> bool | None:
    """Read a query that is true or false; None when it is not there."""
    if not value:
        return None
    said = value.strip().lower()
    if said not in ("true", "false", "1", "0"):
        raise Invalid({name: "must be true or false"})
    return said in ("true", "1")


def warnings(queries: Mapping[str, str]) -> list[str]:
    """Return warnings about queries that change nothing."""
    return [f"{name}: ignored: pages follow `next`" for name in queries if name in _OF_PAGES]


def _filter(name: str, value: str, known: Collection[str], named: Callable[[str], str]) -> Filter:
    field, marked, said = name.rpartition("__")
    if not marked or not field:
        field, said = name, Op.EXACT
    if said not in tuple(Op):
        raise Invalid({name: f"is no filter; behind __ may stand: {', '.join(Op)}"})
    if len(value) > VALUE_LENGTH_MAX:
        raise Invalid({name: f"must have at most {VALUE_LENGTH_MAX} characters"})
    field = named(field)
    return Filter(field if field in known else standard_name(field), Op(said), value, name)


def _range(queries: Mapping[str, str], dates: Collection[str]) -> list[Filter]:
    """Read `search=<field>&min=&max=`."""
    field, *ends = (queries.get(name) for name in _RANGE)
    if not field:
        wrong = [name for name in _RANGE[1:] if queries.get(name)]
        if wrong:
            raise Invalid({wrong[0]: "needs search: the field to which it applies"})
        return []
    if field not in dates:
        raise Invalid({"search": f"must be one of: {', '.join(sorted(dates))}"})
    found = []
    for name, op, end in zip(_RANGE[1:], (Op.GTE, Op.LTE), ends, strict=True):
        if end and as_moment(end) is None:
            raise Invalid({name: "must be UNIX seconds or an ISO 8601 time"})
        if end:
            found.append(Filter(field, op, end, name))
    return found
