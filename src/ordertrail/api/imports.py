"""Imports: contacts, products and deals from a CSV file, by the very writes of single calls.

The report goes out while the rows are written, 250 at a time. Whoever leaves in the middle has what
was reported, and may send the file again: what is there already changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ordertrail.actions import attributes, imports
from ordertrail.actions.imports import Judged
from ordertrail.api import contacts, deals, products
from ordertrail.api.call import Answer, Call, Streamed
from ordertrail.api.gate import BUSY, answer_to
from ordertrail.api.route import OWN, PUBLIC, Route
from ordertrail.domain.attribute import ContentType
from ordertrail.domain.errors import Invalid, NotFound, Refused
from ordertrail.domain.journal import Origin
from ordertrail.kit.committer import Action, QueueFull
from ordertrail.wire import body, lines, sheet_order, sheets
from ordertrail.wire import imports as wire
from ordertrail.wire.body import flattened
from ordertrail.wire.sheets import Sheet, SheetRow

PART_MAX = 250
BYTES_MAX = 64 << 20
WAITS_MAX = 60
"""How often, a second each, a part waits for its turn before the import breaks off."""

MEDIA_TYPE = "text/csv"
_ORIGIN = b"x-ordertrail-origin"
_BUYER = ("user_custom_id", "user_id")

_Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of thing: the command that each row is, and what its outcome holds.

    A command is made of the call that the row would be, and of what the row tells beside it.
    """

    content_type: ContentType
    path: str
    command: Callable[[Call, Mapping[str, Any]], object]
    action: Action


@dataclass(frozen=True, slots=True)
class _Import:
    """An import on its way; `told` are the warnings about columns that were given already."""

    call: Call
    kind: _Kind
    sheet: Sheet
    origin: Origin
    is_trial: bool
    totals: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)

    @property
    def action(self) -> Action:
        """Who decides the rows."""
        wrap = imports.tried if self.is_trial else imports.judged
        return wrap(self.kind.action)

    def row_call(self, row: SheetRow) -> Call:
        """Return the call that a row would be by itself, in the names of version 2."""
        headers = {b"accept": b"*/*; version=2", _ORIGIN: self.origin.encode()}
        whose = self.call.platform, self.call.key, self.call.scope
        return Call(*whose, "POST", self.kind.path, {}, headers, body.encode(flattened(row.sent)))

    def shown_totals(self) -> wire.TotalsShown:
        """Return of how many rows so far became what."""
        return {
            "rows": self.totals["rows"],
            "created": self.totals["created"],
            "changed": self.totals["changed"],
            "unchanged": self.totals["unchanged"],
            "refused": self.totals["refused"],
            "dry_run": self.is_trial,
            "ignored_columns": list(self.sheet.ignored),
        }


def _route(name: str, kind: _Kind, says: str) -> Route:
    async def handle(call: Call) -> Answer:
        is_trial = body.flag("dry_run", call.query("dry_run") or "false")
        origin = call.author.origin if _ORIGIN in call.headers else Origin.BACKFILL
        known = await call.read(
            lambda r: attributes.of_type(r, call.workspace_id, kind.content_type)
        )
        sheet = await asyncio.to_thread(sheets.read, call.raw_body, kind.content_type, known)
        asked = _Import(call, kind, sheet, origin, is_trial)
        if call.wants(*lines.TYPES):
            return Answer(Streamed(lines.TYPES[0], _as_lines(asked)))
        return Answer(Streamed("application/json", _as_json(asked)))

    return Route(
        "POST",
        f"{OWN}/import/{name}/",
        handle,
        f"create or change {says} from a CSV file",
        gives=wire.ImportShown,
        queries=("dry_run",),
        bytes_max=BYTES_MAX,
        sent_media=(MEDIA_TYPE,),
    )


async def _as_lines(asked: _Import) -> AsyncGenerator[bytes, None]:
    async with aclosing(_results(asked)) as results:
        async for part in results:
            yield lines.encode(part)
    yield lines.encode([{"totals": asked.shown_totals()}])


async def _as_json(asked: _Import) -> AsyncGenerator[bytes, None]:
    before = b'{"results":['
    async with aclosing(_results(asked)) as results:
        async for part in results:
            yield before + b",".join(map(body.encode, part))
            before = b","
    if before != b",":
        yield before
    yield b'],"totals":' + body.encode(asked.shown_totals()) + b"}"


async def _results(asked: _Import) -> AsyncGenerator[list[_Result], None]:
    """What becomes of the rows, part by part."""
    async for rows in _parts(asked):
        results = await _carried_out(asked, rows)
        for row, result in zip(rows, results, strict=True):
            asked.totals["rows"] += row.rows
            asked.totals[result["status"]] += row.rows
        yield results


async def _parts(asked: _Import) -> AsyncIterator[list[SheetRow]]:
    """The rows that are decided together.

    In a trial nothing stays from part to part: rows that may be about the same thing are decided
    in one, behind all others.
    """
    sheet = asked.sheet
    again: set[int] = set()
    if sheet.has_lines or asked.is_trial:
        again = await asyncio.to_thread(sheet_order.repeated, sheet)
    part: list[SheetRow] = []
    aside: list[SheetRow] = []
    for row in sheet.rows():
        if again and sheet_order.is_repeated(sheet, row, again):
            if sheet.has_lines:
                row.wrong["custom_id"] = "the rows of one order must follow one another; sort them"
            elif asked.is_trial:
                aside.append(row)
                continue
        part.append(row)
        if len(part) >= PART_MAX:
            yield part
            part = []
    if part:
        yield part
    for part in sheet_order.together(sheet, aside, PART_MAX):
        yield part


async def _carried_out(asked: _Import, rows: Sequence[SheetRow]) -> list[_Result]:
    results: dict[int, _Result] = {}
    commands: dict[int, object] = {}
    noticed: dict[int, list[str]] = {}
    for place, row in enumerate(rows):
        try:
            if row.wrong:
                raise Invalid(row.wrong)
            call = asked.row_call(row)
            commands[place] = asked.kind.command(call, row.told)
            noticed[place] = [each for each in call.warnings if each not in asked.told]
            asked.told.update(noticed[place])
        except Refused as refused:
            results[place] = _refused(row, _why(row, refused))
    outcomes = await _committed(asked, list(commands.values()))
    for place, outcome in zip(commands, outcomes, strict=True):
        results[place] = _result(asked, rows[place], outcome, noticed[place])
    return [results[place] for place in range(len(rows))]


async def _committed(asked: _Import, commands: Sequence[object]) -> list[Any]:
    committer, workspace_id = asked.call.platform.committer, asked.call.workspace_id
    for _ in range(WAITS_MAX):
        try:
            return await committer.commit(workspace_id, asked.action, commands)
        except QueueFull as full:
            await asyncio.sleep(full.retry_after_s)
    return await committer.commit(workspace_id, asked.action, commands)


def _result(asked: _Import, row: SheetRow, outcome: Any, noticed: Sequence[str]) -> _Result:
    if isinstance(outcome, Judged):
        warnings = [*noticed, *outcome.warnings]
        more = {"warnings": warnings} if warnings else {}
        return wire.result(row.line, row.rows, str(outcome.status), outcome.id, **more)
    if isinstance(outcome, BUSY):
        raise outcome
    if isinstance(outcome, Refused):
        return _refused(row, _why(row, outcome))
    request_id = asked.call.request_id
    said = answer_to(outcome, request_id).body
    return _refused(row, {"row": [said["detail"]], "request_id": [request_id]})


def _why(row: SheetRow, error: Refused) -> dict[str, list[str]]:
    """The reasons by field; an order that finds no contact is wrong about its buyer."""
    buyer = next((name for name in _BUYER if name in row.sent), None)
    if buyer is not None and isinstance(error, NotFound):
        return {buyer: ["no contact has this; import the buyers, as users, before their orders"]}
    return wire.why(error)


def _refused(row: SheetRow, why: Mapping[str, list[str]]) -> _Result:
    return wire.result(row.line, row.rows, wire.REFUSED, None, errors=why)


_USERS = _Kind(
    ContentType.CONTACT,
    f"{PUBLIC}/users/update_or_create/",
    lambda call, _told: contacts.imported(call),
    contacts.UPDATE_OR_CREATE.action,
)
_PRODUCTS = _Kind(
    ContentType.PRODUCT,
    f"{PUBLIC}/products/",
    lambda call, _told: products.CREATE.command(call),
    products.CREATE.action,
)
_DEALS = _Kind(
    ContentType.DEAL,
    f"{PUBLIC}/deals/update_or_create/",
    deals.imported,
    deals.UPDATE_OR_CREATE.action,
)

ROUTES: tuple[Route, ...] = (
    _route("users", _USERS, "contacts"),
    _route("products", _PRODUCTS, "products"),
    _route("deals", _DEALS, "orders"),
)
