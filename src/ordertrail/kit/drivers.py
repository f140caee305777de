"""What holds of a database whichever driver speaks to it: words, limits, what a person can do."""

import re
from collections.abc import Mapping
from typing import Any

from ordertrail.kit import json
from ordertrail.kit.database import Value

TRIES_MAX = 5
"""How often a transaction is run that the database gives up in favour of another one."""

DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', true)"
    " WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
)
"""Lets a transaction of PostgreSQL be on disk when it is committed, whatever the server says."""

GIVEN_UP = ("40001", "40P01", "23505")
"""Not serialisable, deadlock, a key that another one wrote first: the states of PostgreSQL."""

SEE_IT_RUNS = "see that it runs, and try again"
LET_MORE_IN = "let it take more connections, or run fewer processes"
ADVICE_BY_STATE = {
    "53100": "make room on the disk of its server",
    "53200": "give its server more memory, or try again",
    "53300": LET_MORE_IN,
    "57014": "see what its server is busy with, and try again",
    "55P03": "see who holds the lock, and try again",
    "25P03": "see what keeps this process from going on, and try again",
    "25006": "name the server that takes writes, or wait until this one does",
}
"""What to do about a state of PostgreSQL that passes."""

_OF_VALUES = "22"
"""The class of the states of PostgreSQL that are about a value, and may quote it."""

_NAMING = ("column", "type", "constraint", "encoding")
_VALUE = re.compile("".join(f"(?<!{word} )" for word in _NAMING) + '"(?:.*"|.*)', re.DOTALL)


def bound(parameters: Mapping[str, Value]) -> dict[str, Any]:
    """Return the parameters as drivers take them: lists as one JSON text."""
    return {
        name: json.dumps(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }


def first_line(error: BaseException) -> str:
    """Return what an error says, without the details behind it, which may quote a row.

    What it quotes of a value that cannot be read is cut; names of columns and types stay.
    """
    said = str(error).strip()
    if (getattr(error, "sqlstate", None) or "").startswith(_OF_VALUES):
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        said = _VALUE.sub('"…"', primary or said)
    return said.partition("\n")[0]
