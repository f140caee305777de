"""The manual of the command line has every command and option, in the words of `--help`."""

import json
import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest
from ran import Shop, order, run

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "cli.md").read_text("utf-8")
TOOL = runpy.run_path(str(ROOT / "tools" / "write_cli.py"))
COMMANDS = sorted(TOOL["commands"]())
SECTIONS = dict(re.findall(r"^## ([a-z -]+)\n(.*?)(?=^#|\Z)", MANUAL, re.MULTILINE | re.DOTALL))
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def test_the_tables_are_those_that_the_tool_writes() -> None:
    assert TOOL["page"](MANUAL) == MANUAL, "run python tools/write_cli.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_that_help_shows_is_in_the_manual_and_no_other(command: str) -> None:
    shown = run(*command.split(), "--help")
    assert shown.code == 0
    rows = re.findall(r"^\| `(--[a-z/-]+)`", SECTIONS[command], re.MULTILINE)
    assert set(OPTION.findall(shown.out)) - {"--help"} == {n for r in rows for n in r.split("/")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_whose_options_it_has(command: str) -> None:
    examples = re.findall(r"^\$ ordertrail (.*)$", SECTIONS[command], re.MULTILINE)
    assert examples
    known = set(OPTION.findall(run(*command.split(), "--help").out))
    for example in examples:
        words = shlex.split(example, comments=True)
        assert " ".join(words[: len(command.split())]) == command
        assert {each for each in words if each.startswith("--")} <= known


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_in_one_line_what_it_is_for(command: str) -> None:
    for param in TOOL["commands"]()[command].params:
        assert param.help, param.name
        assert "\n" not in param.help
        assert param.help.endswith("."), param.help
        assert len(param.help) <= 80


def test_the_json_in_the_manual_has_the_shape_of_what_is_printed(shop: Shop) -> None:
    file = shop.file(order(1), "wrong", order(2, currency="XXQ"))
    dry = shop.run("sync", file, "--dry-run", "--json").json
    synced = shop.run("sync", file, "--json").json
    assert [_shape(each) for each in _blocks("sync")] == [_shape(synced), _shape(dry)]
    assert [_shape(each) for each in _blocks("verify")] == [
        _shape(shop.run("verify", "--json").json)
    ]
    assert [_shape(each) for each in _blocks("outbox status")] == [
        _shape(shop.look("status", "--json").json)
    ]


def _blocks(section: str) -> list[Any]:
    return [json.loads(each) for each in re.findall(r"```json\n(.*?)```", SECTIONS[section], re.S)]


def _shape(said: Any) -> Any:
    """The names of an object, and the shape of the objects in it that have names of their own."""
    if isinstance(said, list):
        return [_shape(each) for each in said[:1] if isinstance(each, dict)]
    if not isinstance(said, dict):
        return None
    return {
        name: _shape(said[name]) for name in sorted(said) if name not in COUNTED
    } | dict.fromkeys(COUNTED & said.keys())


COUNTED = {
    "planned", "delivered", "would_call", "worth_before", "worth_after", "examples", "drift",
}  # fmt: skip
