"""Bodies of requests: read whole, within a limit, and unpacked when they are sent packed."""

import asyncio
import zlib
from collections.abc import Mapping

from starlette.types import Receive

from ordertrail.domain.errors import Invalid

_GZIP = 16 + zlib.MAX_WBITS
_TAKEN_BYTES = 64 << 10
_UNPACKED_BYTES = 256 << 10
_PLAIN = (b"", b"identity")
_PACKED = (b"gzip", b"x-gzip")


class TooLarge(Exception):
    """The body is larger than what is accepted."""


class UnknownCoding(Exception):
    """The body is packed in a way that is not understood."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, bytes_max: int) -> bytes:
    """Return the whole body, unpacked; raises TooLarge as soon as it is known to be.

    `bytes_max` binds what is sent and what becomes of it alike. Raises Invalid for what cannot be
    unpacked, and UnknownCoding for a coding other than gzip.
    """
    coding = headers.get(b"content-encoding", b"").strip().lower()
    if coding in _PLAIN:
        return await _sent(headers, receive, bytes_max)
    if coding not in _PACKED:
        raise UnknownCoding("send the body as it is, or with 'Content-Encoding: gzip'")
    return await _unpacked(await _sent(headers, receive, bytes_max), bytes_max)


async def _sent(headers: Mapping[bytes, bytes], receive: Receive, bytes_max: int) -> bytes:
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    message = await receive()
    if not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        if not whole and message["type"] == "http.disconnect":
            raise Invalid({"body": "ended before it was complete"})
        if len(whole) > bytes_max:
            raise _too_large(bytes_max)
        return whole
    parts = [message.get("body", b"")]
    size = len(parts[0])
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid({"body": "ended before it was complete"})
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise _too_large(bytes_max)
    return b"".join(parts)


async def _unpacked(packed: bytes, bytes_max: int) -> bytes:
    """What the gzip members say, one after the other; other callers have their turn in between."""
    plain = bytearray()
    member = zlib.decompressobj(_GZIP)
    start = 0
    rest = b""
    while rest or start < len(packed):
        if not rest:
            rest = packed[start : start + _TAKEN_BYTES]
            start += _TAKEN_BYTES
        if member.eof:
            member = zlib.decompressobj(_GZIP)
        rest = _step(member, rest, plain)
        if len(plain) > bytes_max:
            raise _too_large(bytes_max)
        if len(plain) > _UNPACKED_BYTES:
            await asyncio.sleep(0)
    if packed and not member.eof:
        _step(member, b"", plain)
        if not member.eof:
            raise Invalid({"body": "ended before it was complete"})
    return bytes(plain)


def _step(member: "zlib._Decompress", packed: bytes, plain: bytearray) -> bytes:
    """Unpack some of it behind what is plain already, and return what was not used."""
    try:
        plain += member.decompress(packed, _UNPACKED_BYTES)
    except zlib.error:
        raise Invalid({"body": "is not gzip, though it is said to be"}) from None
    return member.unused_data if member.eof else member.unconsumed_tail


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(f"the body may have at most {bytes_max} bytes")
