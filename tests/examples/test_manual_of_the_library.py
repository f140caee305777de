"""The examples in the library's manual, run in their order."""

import re
from pathlib import Path

import pytest
from served_platform import Platform

MANUAL = Path(__file__).parents[2] / "docs" / "library.md"
BLOCK = re.compile(r"^```python( skip)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_of_the_manual_runs(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"TOKEN": platform.token}
    page = MANUAL.read_text("utf-8")
    for found in BLOCK.finditer(page):
        line = page.count("\n", 0, found.start()) + 1
        source = "\n" * line + _with_what_is_there(found[2], platform)
        code = compile(source, str(MANUAL), "exec")
        if not found[1]:
            exec(code, names)


def _with_what_is_there(example: str, platform: Platform) -> str:
    """A real tracker gets the address of the platform and the stages that it has."""
    if "Tracker.fake" in example:
        return example
    here = example.replace("https://acme.user.com", platform.url)
    return here.replace(
        "placed=13, fulfilled=12, cancelled=14", "placed=1, fulfilled=2, cancelled=3"
    )
