"""Batches on the wire: many calls in one body, each read by itself, so that none spoils another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, Required, TypedDict

import msgspec

from ordertrail.domain.errors import Invalid
from ordertrail.wire import body

OPERATIONS_MAX = 1_000


class OperationSent(TypedDict, total=False):
    """One call of a batch; `key` is what the header Idempotency-Key is for a call by itself."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: Required[str]
    body: Any
    key: str | int | None


class BatchSent(TypedDict):
    """Calls that are carried out in their order."""

    operations: list[OperationSent]


class ResultShown(TypedDict):
    """What one call of a batch was answered."""

    status: int
    body: Any
    warnings: NotRequired[list[str]]


class BatchShown(TypedDict):
    """The answers in the order of the calls."""

    results: list[ResultShown]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a batch; `raw_body` is its JSON, not read yet."""

    method: str
    path: str
    raw_body: bytes
    key: str | None


def encode_operation(
    method: str, path: str, said: Mapping[str, Any], key: str | None
) -> dict[str, Any]:
    """Return one call as the body of a batch says it."""
    operation = {"method": method, "path": path, "body": said}
    return operation if key is None else {**operation, "key": key}


def decode(raw: bytes) -> list[Operation | Invalid]:
    """Read the body of a batch; an operation that cannot be read is why.

    Raises Invalid when there is no list of operations, or when it is too long.
    """
    if not raw.strip():
        raise Invalid({"body": 'is empty: send {"operations": [...]}'})
    try:
        operations = _batches.decode(raw).operations
    except msgspec.ValidationError:
        raise Invalid(_no_batch(raw)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid({"body": f"is not JSON: {error}"}) from None
    except RecursionError:
        raise Invalid({"body": "is nested too deeply"}) from None
    _check_count(len(operations))
    return [_operation(each) for each in operations]


def decode_lines(raw: bytes) -> list[Operation | Invalid]:
    """Read a batch of one operation a line, leaving out blank lines; as `decode` does."""
    operations = [line for line in raw.split(b"\n") if line.strip()]
    _check_count(len(operations))
    return [_operation(line) for line in operations]


def _no_batch(raw: bytes) -> dict[str, str]:
    if raw.lstrip().startswith(b"["):
        return {"body": 'must be an object: {"operations": [...]} holds the list'}
    return {"operations": f"must be a list of at most {OPERATIONS_MAX} calls"}


def _check_count(count: int) -> None:
    if count > OPERATIONS_MAX:
        raise Invalid({"operations": f"must have at most {OPERATIONS_MAX} items"})


def _operation(raw: bytes | msgspec.Raw) -> Operation | Invalid:
    try:
        said = _operations.decode(raw)
        key = None if said.key is None else body.identifier("key", said.key)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Invalid({"operation": f"must be an object with method, path and body: {error}"})
    except Invalid as error:
        return error
    if key is not None and not key.isprintable():
        return Invalid({"key": "must be printable"})
    return Operation(said.method, said.path, bytes(said.body), key)


class _Batch(msgspec.Struct):
    operations: list[msgspec.Raw]


class _Said(msgspec.Struct):
    path: str
    body: msgspec.Raw = msgspec.Raw()
    method: str = "POST"
    key: str | int | None = None


_batches = msgspec.json.Decoder(_Batch)
_operations = msgspec.json.Decoder(_Said)
