"""A file sent to an import, and its report read line by line while it is carried out.

Only our own platform has imports.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from ordertrail.client import answers
from ordertrail.client.answers import Answer
from ordertrail.client.client import REASON_CHARS_MAX, normalised
from ordertrail.client.exchange import CONNECT_S_MAX
from ordertrail.domain.errors import Invalid, NotFound, Unavailable
from ordertrail.wire import body, lines

IMPORT_PATH = "/api/ordertrail/v1/import"
SILENCE_S_MAX = 120.0
"""How long the next part of a report is waited for."""

LINE_BYTES_MAX = 8 << 20
PROBLEM_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A CSV file, packed by gzip, of `users`, `products` or `deals`."""

    name: str
    packed: bytes
    origin: str = "backfill"
    is_dry: bool = False


async def send(url: str, token: str, upload: Upload) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what became of each row, and the totals at the end.

    Raises Refused for a file that will not do, and Unavailable when nobody answers or the report
    breaks off: what was reported until then is done, and the file may be sent again.
    """
    target = f"{normalised(url)}{IMPORT_PATH}/{upload.name}/?dry_run={str(upload.is_dry).lower()}"
    headers = {
        "Authorization": f"Token {token}",
        "Accept": lines.TYPES[0],
        "Content-Type": "text/csv",
        "Content-Encoding": "gzip",
        "X-Ordertrail-Origin": upload.origin,
    }
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S_MAX, sock_read=SILENCE_S_MAX)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=LINE_BYTES_MAX // 2) as session,
            session.post(
                URL(target, encoded=True),
                data=upload.packed,
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            await _check(response, token)
            async with aclosing(_told(response)) as told:
                async for line in told:
                    yield line
    except (aiohttp.ClientError, OSError) as error:
        reason = f"{normalised(url)}: {type(error).__name__} {error}"[:REASON_CHARS_MAX].strip()
        raise Unavailable(reason, is_unsure=True) from error


async def _check(response: aiohttp.ClientResponse, token: str) -> None:
    if response.status == 200:
        if response.content_type != lines.TYPES[0]:
            raise NotFound("what answers is no Ordertrail platform: only that has imports")
        return
    raw = await response.content.read(PROBLEM_BYTES_MAX)
    wait_s = answers.seconds_to_wait(
        response.headers.get("Retry-After"), response.headers.get("Date")
    )
    raise answers.failure(Answer(response.status, raw, wait_s), token)


async def _told(response: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
    """The lines of the report; raises Unavailable when it has no end."""
    is_whole = False
    async for raw in response.content:
        try:
            line = body.decode_object(raw)
        except Invalid:
            raise Unavailable("the report is no JSON", is_unsure=True) from None
        is_whole = "totals" in line
        yield line
    if not is_whole:
        raise Unavailable("the report broke off", is_unsure=True)
