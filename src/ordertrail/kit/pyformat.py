"""Parameters as drivers of PostgreSQL name them: `%(name)s` for what statements call `:name`."""

import re
from functools import lru_cache

_STATEMENTS_MAX = 1_024
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")


@lru_cache(maxsize=_STATEMENTS_MAX)
def named(statement: str) -> str:
    """Return the statement with its parameters in the form that the driver takes."""
    return _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%"))
