"""What an operation may need besides its call: a look at the timeline, or what is missing."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from ordertrail.client import calls
from ordertrail.client.calls import Call
from ordertrail.client.client import TooManyPages, pages
from ordertrail.domain.errors import Forbidden, NotFound, Refused, Unauthorised, Unavailable
from ordertrail.sync import timeline
from ordertrail.sync.calling import Caller, NotNow
from ordertrail.sync.lanes import Held
from ordertrail.sync.operations import Kind
from ordertrail.sync.rim import Rim

_CONTACTS = "/api/public/users/update_or_create/"


class Mender:
    """Helps operations of one destination; raises what `Caller.ask` raises.

    `contact_body` returns everything that is to be said of a contact, by its id.
    """

    def __init__(
        self, caller: Caller, rim: Rim, contact_body: Callable[[str], dict[str, Any] | None]
    ) -> None:
        self._caller = caller
        self._rim = rim
        self._contact_body = contact_body

    async def is_there(self, held: Held) -> bool:
        """Whether the event stands on its contact's timeline; Refused when that cannot tell."""
        search = timeline.Search(held.operation)
        every = pages(self._caller.ask, timeline.listing(held.operation), timeline.PAGES_MAX)
        try:
            async with aclosing(every):
                async for page in every:
                    if search.is_found(page):
                        return True
        except NotFound:
            return False  # there is no such contact
        except TooManyPages as failure:
            reason = f"of the contact's timeline, {failure}, and it is not on these"
            raise Refused(f"cannot tell whether it was carried out: {reason}") from None
        return False

    async def merge(self, held: Held) -> None:
        """Merge contacts, whose numbers the endpoint knows; where nothing is to merge it is done.

        A contact to merge into that is missing raises NotFound.
        """
        body = held.operation.call.body
        parent = await self._number(body["parent"])
        others = []
        for custom_id in body["users_list"]:
            try:
                number = await self._number(custom_id)
            except NotFound:
                continue
            if number != parent:
                others.append(number)
        if not others:
            return
        try:
            await self._caller.send(held, calls.merge_contacts(parent, others))
        except Refused as failure:
            if isinstance(failure, NotFound) or "405" in str(failure):
                reason = "the endpoint cannot merge contacts: merge them there by hand"
                raise Refused(f"{reason} ({failure})") from failure
            raise

    async def heal(self, held: Held) -> None:
        """Say the contact again, and the product of a product event; once for an operation."""
        operation, body = held.operation, held.operation.call.body
        person = body.get("user_custom_id") or body.get("parent") or operation.lane
        if operation.kind is Kind.CONVERSION:
            person = timeline.named(operation)
        held.is_healed = True
        try:
            said = await self._rim.in_thread(lambda: self._contact_body(person))
            if said is not None:
                await self._caller.ask(Call("POST", _CONTACTS, said))
            if operation.kind is Kind.PRODUCT_EVENT:
                await self._create_product(held)
        except (Unavailable, NotNow):
            held.is_healed = False
            raise

    async def _number(self, custom_id: str) -> int:
        said = await self._caller.ask(calls.get_contact(custom_id))
        if not isinstance(said, dict) or not isinstance(said.get("id"), int):
            raise Unavailable("the endpoint does not tell the number of a contact")
        return int(said["id"])

    async def _create_product(self, held: Held) -> None:
        """Create the product of an event; one that is there by now is as good."""
        data = held.operation.call.body.get("data") or {}
        known = {name: value for name, value in data.items() if name != "custom_data"}
        try:
            await self._caller.ask(calls.create_product(timeline.named(held.operation), known))
        except Refused as failure:
            if isinstance(failure, Unauthorised | Forbidden):
                raise
