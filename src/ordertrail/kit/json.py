"""JSON as it is kept in the database: decimals in, decimals out, never a float."""

from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number", order=None)
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def dumps(value: object) -> str:
    """Return the value as compact JSON text."""
    return _encoder.encode(value).decode()


def loads(text: str | bytes) -> Any:
    """Return what the JSON text says; numbers with a fraction are Decimal."""
    return _decoder.decode(text)


def read_back(value: object) -> Any:
    """Return the value as it is once it was written down and read again."""
    return loads(dumps(value))
