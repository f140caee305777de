"""Parameters as drivers of PostgreSQL name them: `%(name)s` for what statements call `:name`."""

import re
from functools import lru_cache

from ordertrail.kit.database import Dialect
from ordertrail.kit.wording import worded

_STATEMENTS_MAX = 2_048
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z_0-9]*)")


@lru_cache(maxsize=_STATEMENTS_MAX)
def named(statement: str) -> str:
    """Return the statement in PostgreSQL's words, its parameters in the form the driver takes."""
    told = worded(statement, Dialect.POSTGRES)
    return _PARAMETER.sub(r"%(\1)s", told.replace("%", "%%"))
