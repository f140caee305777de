"""As much of JSON Schema 2020-12 as `docs/order.schema.json` speaks, to hold readers against it."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda data: data is None,
    "string": lambda data: isinstance(data, str),
    "array": lambda data: isinstance(data, list),
    "object": lambda data: isinstance(data, dict),
    "number": lambda data: isinstance(data, int | Decimal) and not isinstance(data, bool),
    "integer": lambda data: _TYPES["number"](data) and data == int(data),
}
_ANNOTATIONS = {"description", "title", "format", "$schema", "$defs"}
_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": lambda wanted, data: _TYPES[wanted](data),
    "minimum": lambda least, data: not _TYPES["number"](data) or data >= least,
    "maximum": lambda most, data: not _TYPES["number"](data) or data <= most,
    "exclusiveMaximum": lambda most, data: not _TYPES["number"](data) or data < most,
    "pattern": lambda regex, data: not isinstance(data, str) or bool(re.search(regex, data)),
    "required": lambda names, data: not isinstance(data, dict) or set(names) <= data.keys(),
}


def fits(data: Any, schema: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Tell whether the data is valid; a keyword that is not known here is an error."""
    return all(
        _fits_keyword(data, schema, keyword, whole) for keyword in schema.keys() - _ANNOTATIONS
    )


def _fits_keyword(
    data: Any, schema: Mapping[str, Any], keyword: str, whole: Mapping[str, Any]
) -> bool:
    said = schema[keyword]
    if keyword == "$ref":
        return fits(data, whole["$defs"][said.removeprefix("#/$defs/")], whole)
    if keyword == "anyOf":
        return any(fits(data, each, whole) for each in said)
    if keyword == "items":
        return not isinstance(data, list) or all(fits(each, said, whole) for each in data)
    if keyword == "properties":
        known = {name: data[name] for name in said if isinstance(data, dict) and name in data}
        return all(fits(value, said[name], whole) for name, value in known.items())
    if keyword == "additionalProperties":
        others = data.keys() - schema.get("properties", {}) if isinstance(data, dict) else ()
        return not others if said is False else all(fits(data[n], said, whole) for n in others)
    return _RULES[keyword](said, data)
