"""JSON Lines: one JSON value a line."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ordertrail.wire import body

TYPES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
"""What such a body is called; the first is how we call it."""


def encode(values: Iterable[object]) -> bytes:
    """Return the values, each as JSON on a line of its own."""
    return b"".join(body.encode(value) + b"\n" for value in values)


def plain(value: Any) -> Any:
    """Return a value as the API writes it: a time as its text."""
    return body.iso(value) if isinstance(value, datetime) else value
