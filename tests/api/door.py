"""A keyring over real parts, and many callers before it at once."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ordertrail.actions import keys
from ordertrail.api.keyring import Keyring
from ordertrail.api.known_keys import KnownKeys
from ordertrail.kit.committer import Batch, Committer
from ordertrail.kit.database import Reader
from ordertrail.kit.readers import Readers
from ordertrail.kit.sqlite import Sqlite
from served import HandClock


@dataclass
class Door:
    """What a keyring stands on; `readers` counts what is read for it."""

    database: Sqlite
    readers: "Counted"
    committer: Committer
    clock: HandClock

    def keyring(
        self,
        *,
        cached_max: int = 100,
        strangers_max: int = 50,
        committer: Committer | None = None,
    ) -> Keyring:
        known = KnownKeys(
            self.readers, seen_s=1.0, cached_max=cached_max, strangers_max=strangers_max
        )
        committer = committer or self.committer
        return Keyring(known, committer, self.clock, in_use_max=cached_max)

    def new_token(self, **more: Any) -> str:
        token = secrets.token_hex(32)
        key = keys.new_key(1, "test", "both", self.clock(), **more)
        self.database.write(lambda tx: keys.create(tx, key, token))
        return token

    def revoke(self, key_id: int) -> None:
        self.database.write(lambda tx: keys.revoke(tx, 1, key_id, self.clock()))


class Counted(Readers):
    """Readers that count the reads they are asked for."""

    def __init__(self, database: Sqlite, **limits: int) -> None:
        super().__init__(database, **limits)
        self.reads = 0

    async def read(self, work: Callable[[Reader], Any]) -> Any:
        self.reads += 1
        return await super().read(work)


class Rides(Committer):
    """A committer, not started, that counts what rides and writes it at once."""

    def __init__(self, database: Sqlite) -> None:
        super().__init__(database)
        self._file = database
        self.noted: list[int] = []

    def ride(self, workspace_id: int, action: Any, command: Any) -> bool:
        self.noted.append(command.key_id)
        self._file.write(lambda tx: action(tx, Batch(workspace_id, command.at, [command])))
        return True


def admit(
    keyring: Keyring, token: str, now: float, place: str = "192.0.2.1"
) -> Coroutine[Any, Any, keys.Key]:
    return keyring.admit({"client": (place, 1)}, f"Token {token}".encode(), "read", now)


def together(*asked: Coroutine[Any, Any, Any]) -> list[Any]:
    async def gathered() -> list[Any]:
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(gathered())


def wrong(count: int) -> list[str]:
    return [f"{n:064x}" for n in range(count)]
