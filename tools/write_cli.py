"""Writes the tables of docs/cli.md from the command line itself: `python tools/write_cli.py`.

What stands between the tables is written by hand and stays.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from ordertrail.cli import app

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
HEAD = "| argument or option | meaning |\n|---|---|\n"

_SECTION = re.compile(r"^## (?P<name>[a-z -]+)\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")


def commands() -> dict[str, Any]:
    """Return every command by its words, such as `outbox list`."""
    return dict(_leaves(typer.main.get_command(app), ""))


def page(text: str) -> str:
    """Return the page with the tables as they should be; a command without a section is missed."""
    known = commands()
    written = set()

    def section(found: re.Match[str]) -> str:
        command = known.get(found["name"])
        if command is None:
            return found[0]
        written.add(found["name"])
        wanted = table(command)
        before, *after = _TABLE.split(found[0])
        if len(after) != bool(wanted):
            raise SystemExit(f"the section {found['name']!r} needs {bool(wanted):d} table")
        return wanted.join([before, *after])

    result = _SECTION.sub(section, text)
    if missing := known.keys() - written:
        raise SystemExit(f"the page has no section: {', '.join(sorted(missing))}")
    return result


def table(command: Any) -> str:
    """Return the table of a command's arguments and options; nothing if it has none."""
    rows = [
        f"| `{_name(each)}` | {_meaning(each)} |\n"
        for each in command.params
        if "--help" not in each.opts
    ]
    return HEAD + "".join(rows) if rows else ""


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, each in inner.items():
        yield from _leaves(each, f"{name} {word}".strip())


def _name(param: Any) -> str:
    if param.param_type_name != "option":
        return str(param.name.upper())
    return "/".join([param.opts[-1], *param.secondary_opts])


def _meaning(param: Any) -> str:
    if param.default in (None, False, "") or param.required:
        return str(param.help)
    return f"{param.help} Default: `{param.default}`."


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
