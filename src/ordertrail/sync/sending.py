"""Sending one operation: a single attempt, and what is to be done after it."""

from dataclasses import replace
from datetime import datetime

from ordertrail.domain.errors import Forbidden, Refused, Unauthorised, Unavailable
from ordertrail.sync.calling import Caller, NotNow
from ordertrail.sync.lanes import Held
from ordertrail.sync.mending import Mender
from ordertrail.sync.operations import Kind
from ordertrail.sync.rim import Rim
from ordertrail.sync.verdict import Attempt, Done, Heal, Patience, Pause, Verdict, Wait, judge
from ordertrail.sync.watch import Watch

_HEALABLE = (Kind.DEAL, Kind.PRODUCT_EVENT, Kind.CONVERSION, Kind.MERGE)


class Sender:
    """Makes the attempts of one worker.

    An endpoint that `honours_keys` creates an event once, however often it is sent; at any other
    one whose outcome is unknown is looked for before it is created again.
    """

    def __init__(
        self,
        caller: Caller,
        mender: Mender,
        watch: Watch,
        *,
        patience: Patience,
        rim: Rim,
        honours_keys: bool,
    ) -> None:
        self.caller = caller
        self.honours_keys = honours_keys
        self._mender = mender
        self._watch = watch
        self._patience = patience
        self._rim = rim

    async def attempt(self, held: Held) -> Verdict | None:
        """Make one attempt and say what is to be done now; None when nothing may be sent.

        What it needs and is missing (the contact, the product) is said again, once.
        """
        is_healing = False
        while True:
            try:
                if is_healing:
                    await self._mender.heal(held)
                await self._make(held)
            except NotNow:
                return None
            except (Refused, Unavailable) as failure:
                verdict = self.judged(held, failure)
                if not isinstance(verdict, Heal):
                    return verdict
                is_healing = True
            else:
                self._watch.answered()
                return Done()

    def is_to_look_for(self, held: Held) -> bool:
        """Whether the next attempt is to begin with a look at the timeline."""
        return held.is_unsure and held.operation.kind.is_event and not self.honours_keys

    def judged(
        self, held: Held, failure: Refused | Unavailable, *, is_first: bool = True
    ) -> Verdict:
        """Return what to do about an attempt that failed, and note that it did.

        Of several operations that failed in one call, only the first counts as a failure of the
        destination.
        """
        is_key_refused = isinstance(failure, Unauthorised | Forbidden)
        held.refusals = held.refusals + 1 if is_key_refused else 0
        refusals = self._watch.suspect(self._patience.refusal_wait_s) if is_key_refused else 0
        attempt = Attempt(
            number=held.attempts + 1,
            waits=held.waits,
            failing_s=self._failing_s(held.failing_since),
            refusals=max(held.refusals, refusals),
            is_away=self._watch.is_probing,
            can_heal=held.operation.kind in _HEALABLE and not held.is_healed,
            may_be_there=held.is_unsure and held.operation.kind.is_event and self.honours_keys,
        )
        verdict = judge(failure, attempt, self._patience, self._rim.jitter())
        if isinstance(failure, Unavailable):
            if is_first and not failure.is_throttled:
                self._watch.failed(held.operation.id, failure)
        elif not is_key_refused:
            self._watch.answered()
        if isinstance(verdict, Pause):
            self._watch.refused(verdict.failure)
        return self._noted(held, failure, verdict) if isinstance(verdict, Wait) else verdict

    def _noted(self, held: Held, failure: Refused | Unavailable, wait: Wait) -> Wait:
        held.waits += 1
        held.reason = str(failure)
        if wait.counts:
            held.attempts += 1
            held.failing_since = held.failing_since or self._rim.now()
        if held.refusals:
            self.caller.hold(wait.wait_s)
        longer_s = self._patience.unsure_wait_s if self.is_to_look_for(held) else 0.0
        return replace(wait, wait_s=max(wait.wait_s, longer_s))

    def _failing_s(self, since: datetime | None) -> float:
        return 0.0 if since is None else max((self._rim.now() - since).total_seconds(), 0.0)

    async def _make(self, held: Held) -> None:
        if held.operation.kind is Kind.MERGE:
            await self._mender.merge(held)
            return
        if self.is_to_look_for(held):
            if await self._mender.is_there(held):
                return
            held.is_unsure = False
        await self.caller.send(held, held.operation.call)
