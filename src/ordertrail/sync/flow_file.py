"""The file in which a shop writes down what it decided about its sync: TOML or JSON."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ordertrail.domain.deal import Status
from ordertrail.domain.errors import Invalid
from ordertrail.kit import json
from ordertrail.sync import exact
from ordertrail.sync.rules import Flow

FILE_BYTES_MAX = 1_000_000


def read_flow(path: Path) -> Flow:
    """Return the settings in a `.toml` or `.json` file; what it does not say is as in `Flow`.

    Raises Invalid that names the file for one that cannot be read, and the path of every key that
    is unknown or has a wrong value; a mapping that sends a consent is refused.
    """
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise Invalid({path.name: f"is none of {', '.join(_PARSERS)}"})
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Invalid({path.name: f"cannot be read: {error.strerror}"}) from None
    if len(raw) > FILE_BYTES_MAX:
        raise Invalid({path.name: f"has more than {FILE_BYTES_MAX} bytes"})
    try:
        data = parse(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Invalid({path.name: "is not UTF-8 text"}) from None
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, RecursionError) as error:
        form = path.suffix[1:].upper()
        raise Invalid({path.name: f"is not {form}: {error}"}) from None
    return flow_of(data)


def flow_of(data: object) -> Flow:
    """Return the settings that plain data says; raises Invalid with the path of what is wrong.

    A status is its number or its name, such as `won`; an attribute named `false` is not sent.
    """
    return exact.convert(_with_numbers(data), Flow)


def _with_numbers(data: object) -> object:
    """The data as the types have it: TOML has no null, and people say statuses by name."""
    if not isinstance(data, Mapping):
        return data
    changed = dict(data)
    if isinstance(statuses := data.get("statuses"), Mapping):
        changed["statuses"] = {
            name: _place(f"statuses.{exact.shown(name)}", place) for name, place in statuses.items()
        }
    names = data.get("names")
    if isinstance(names, Mapping) and isinstance(sent := names.get("attributes"), Mapping):
        renamed = {name: None if new is False else new for name, new in sent.items()}
        changed["names"] = {**names, "attributes": renamed}
    return changed


def _place(path: str, place: object) -> object:
    if not isinstance(place, Mapping) or not isinstance(place.get("status"), str):
        return place
    by_name = {status.name.lower(): int(status) for status in Status}
    status = by_name.get(place["status"].lower())
    if status is None:
        raise Invalid({f"{path}.status": f"must be one of: {', '.join(by_name)}"})
    return {**place, "status": status}


_PARSERS: Mapping[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
