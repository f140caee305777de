"""The table of addresses in the manual, made from the routes: `python -m ordertrail.api.manual`."""

import re
import sys
from pathlib import Path

from ordertrail.api.routes import EVERY

_TABLE = re.compile(r"^\| method \|.*?(?=^\n)", re.MULTILINE | re.DOTALL)


def rewritten(page: str) -> str:
    """Return the page with its table of addresses as the routes are."""
    rows = [f"| {r.method} | `{r.path}` | {r.scope} | {r.says} |\n" for r in EVERY]
    head = "| method | address | scope | what it does |\n|---|---|---|---|\n"
    return _TABLE.sub(lambda _: head + "".join(rows), page, count=1)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(rewritten(path.read_text("utf-8")), "utf-8")
