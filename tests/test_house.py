"""The house rules, kept by the source itself: direction, size, promises, behaviour, settings, text.

Every rule is also shown a small piece of code that breaks it, so that a rule cannot fall asleep.
"""

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import house
from house_source import Module, read

ROOT = Path(__file__).parent.parent
SOURCE = read(ROOT / "src" / "ordertrail")
TESTS = read(ROOT / "tests")
BENCH = read(ROOT / "bench")
SETTINGS = ROOT / "src" / "ordertrail" / "settings.py"
MANUAL = ROOT / "docs" / "settings.md"

Rule = Callable[[Module], Iterator[str]]

SOURCE_RULES: tuple[Rule, ...] = (
    house.imports_follow_the_law,
    house.libraries_stay_in_their_layers,
    house.imports_stand_at_the_top,
    house.sql_stays_in_the_store,
    house.functions_are_short,
    house.modules_are_short,
    house.modules_say_what_they_are_for,
    house.what_is_public_has_a_docstring,
    house.what_is_public_is_typed,
    house.no_failure_is_swallowed,
    house.nothing_happens_at_import,
    house.only_settings_read_the_environment,
    house.time_comes_from_the_clock,
)
BENCH_RULES: tuple[Rule, ...] = (
    house.functions_are_short,
    house.modules_are_short,
    house.modules_say_what_they_are_for,
    house.what_is_public_is_typed,
)
TEST_RULES: tuple[Rule, ...] = (house.tests_do_not_sleep, house.tests_patch_nothing_of_ours)

SWALLOW = "try:\n    f()\nexcept {caught}:\n    {body}\n"
SETTING = (
    "from pydantic import Field\n"
    "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
    "class Settings(BaseSettings):\n"
    "    model_config = SettingsConfigDict(env_prefix='ORDERTRAIL_', frozen=True)\n"
)


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    assert not complaints(rule, SOURCE)


@pytest.mark.parametrize("rule", TEST_RULES, ids=lambda rule: rule.__name__)
def test_the_tests_keep_the_rule(rule: Rule) -> None:
    assert not complaints(rule, TESTS)


@pytest.mark.parametrize("rule", BENCH_RULES, ids=lambda rule: rule.__name__)
def test_the_benchmarks_keep_the_rule(rule: Rule) -> None:
    assert not complaints(rule, BENCH)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert not list(house.import_cycles(SOURCE))


def test_every_setting_is_described() -> None:
    assert not list(house.settings_are_described(settings()))


def test_every_setting_is_in_the_manual() -> None:
    if not MANUAL.exists():
        pytest.skip("docs/settings.md is not there yet")
    assert not list(house.settings_are_in_the_manual(settings(), MANUAL.read_text("utf-8")))


def test_the_project_speaks_of_the_product_alone() -> None:
    ask = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listed = subprocess.run(ask, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: which files are tracked is not known")
    paths = [path for path in listed.stdout.decode().split("\0") if path and "/vendor/" not in path]
    assert not [
        complaint
        for path in paths
        for complaint in house.the_text_is_about_the_product(path, text_of(ROOT / path))
    ]


def test_the_architecture_page_and_the_tests_hold_the_same_law() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    assert {layer: set(re.findall(r"`(\w+)`", known)) for layer, known in rows} == house.LAYERS


def test_every_dependency_is_accounted_for_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[^\w.-]", each)[0] for each in wanted + [x for y in extras for x in y]}
    page = (ROOT / "decisions" / "0001-dependencies.md").read_text("utf-8")
    listed = set(re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE))
    assert listed - {"package"} == names - {"ordertrail"}


BROKEN: list[tuple[Rule, str, str]] = [
    (house.imports_follow_the_law, "domain/deal.py", "import ordertrail.kit.clock"),
    (house.imports_follow_the_law, "sync/plan.py", "from ordertrail.wire import deals"),
    (house.imports_follow_the_law, "sync/plan.py", "from ordertrail import wire"),
    (house.imports_follow_the_law, "api/deals.py", "from ordertrail.store import deals"),
    (house.imports_follow_the_law, "kit/clock.py", "from ordertrail.settings import Settings"),
    (house.imports_follow_the_law, "store/deals.py", "from ordertrail import Order"),
    (house.imports_follow_the_law, "__init__.py", "from ordertrail.client import Client"),
    (house.imports_follow_the_law, "settings.py", "from ordertrail.version import VERSION"),
    (house.imports_follow_the_law, "domain/deal.py", "from . import money"),
    (house.imports_follow_the_law, "helpers.py", ""),
    (house.libraries_stay_in_their_layers, "store/deals.py", "import apsw.ext"),
    (house.libraries_stay_in_their_layers, "sync/outbox.py", "from apsw import Connection"),
    (house.libraries_stay_in_their_layers, "actions/deals.py", "import psycopg"),
    (house.libraries_stay_in_their_layers, "kit/limits.py", "import starlette.requests"),
    (house.libraries_stay_in_their_layers, "sync/deliver.py", "import aiohttp"),
    (house.libraries_stay_in_their_layers, "kit/database.py", "import sqlite3"),
    (house.libraries_stay_in_their_layers, "domain/order.py", "import msgspec"),
    (house.imports_stand_at_the_top, "kit/a.py", "def f():\n    if x:\n        import json"),
    (house.imports_stand_at_the_top, "kit/a.py", "async def f():\n    from os import path"),
    (house.sql_stays_in_the_store, "console/deals.py", "s = '''\n  SELECT id\n  FROM deals'''"),
    (house.sql_stays_in_the_store, "actions/deals.py", "s = f'UPDATE {table} SET x = 1'"),
    (house.functions_are_short, "kit/a.py", "def f():\n" + "    x = 1\n" * 70),
    (house.modules_are_short, "kit/a.py", "x = 1\n" * 401),
    (house.modules_say_what_they_are_for, "kit/a.py", "x = 1"),
    (house.what_is_public_has_a_docstring, "kit/a.py", "def f() -> None: ..."),
    (house.what_is_public_has_a_docstring, "kit/a.py", "if x:\n    class A:\n        x = 1"),
    (
        house.what_is_public_has_a_docstring,
        "kit/a.py",
        "class A:\n    'A thing.'\n    def f(self) -> None: ...",
    ),
    (house.what_is_public_is_typed, "kit/a.py", "def f(x: int): ..."),
    (house.what_is_public_is_typed, "kit/a.py", "def f(x, /) -> int: ..."),
    (house.what_is_public_is_typed, "kit/a.py", "async def f(*rest, **named: int) -> int: ..."),
    (house.what_is_public_is_typed, "kit/a.py", "class A:\n    def f(self, x) -> int: ..."),
    (
        house.what_is_public_is_typed,
        "kit/a.py",
        "class A:\n    @staticmethod\n    def f(x) -> int: ...",
    ),
    (house.no_failure_is_swallowed, "kit/a.py", "try:\n    f()\nexcept:\n    pass"),
    (house.no_failure_is_swallowed, "kit/a.py", SWALLOW.format(caught="Exception", body="g()")),
    (
        house.no_failure_is_swallowed,
        "kit/a.py",
        SWALLOW.format(caught="(OSError, BaseException) as error", body="g()"),
    ),
    (
        house.no_failure_is_swallowed,
        "kit/a.py",
        "from contextlib import suppress\nwith suppress(Exception):\n    f()",
    ),
    (house.nothing_happens_at_import, "kit/a.py", "import apsw\ndb = apsw.Connection('x')"),
    (house.nothing_happens_at_import, "kit/a.py", "from pathlib import Path\nx = Path().open()"),
    (house.nothing_happens_at_import, "kit/a.py", "class A:\n    x = open('x').read()"),
    (house.nothing_happens_at_import, "settings.py", "import os\nx = os.environ['X']"),
    (house.nothing_happens_at_import, "settings.py", "import os\ndef f(x=os.getenv('X')): ..."),
    (
        house.only_settings_read_the_environment,
        "app.py",
        "from os import environ as e\ndef f():\n    return e.get('X')",
    ),
    (
        house.only_settings_read_the_environment,
        "cli.py",
        "import os\ndef f():\n    return os.getenv('X')",
    ),
    (house.time_comes_from_the_clock, "actions/deals.py", "import datetime\ndatetime.date.today()"),
    (
        house.time_comes_from_the_clock,
        "domain/deal.py",
        "from datetime import datetime as dt\nat = dt.now",
    ),
    (house.time_comes_from_the_clock, "kit/limits.py", "from time import time\ntime()"),
    (house.time_comes_from_the_clock, "actions/a.py", "import time\ntime.monotonic()"),
    (house.tests_do_not_sleep, "test_a.py", "import time as t\nt.sleep(1)"),
    (
        house.tests_do_not_sleep,
        "test_a.py",
        "from asyncio import sleep\nasync def f():\n    await sleep(0)",
    ),
    (house.tests_patch_nothing_of_ours, "test_a.py", "from unittest import mock"),
    (house.tests_patch_nothing_of_ours, "test_a.py", "from unittest.mock import Mock"),
    (
        house.tests_patch_nothing_of_ours,
        "test_a.py",
        (
            "from ordertrail.kit import clock\ndef test(monkeypatch):\n"
            "    monkeypatch.setattr(clock, 'now', None)"
        ),
    ),
    (
        house.tests_patch_nothing_of_ours,
        "test_a.py",
        "def test(monkeypatch):\n    monkeypatch.setattr('ordertrail.kit.clock.now', None)",
    ),
    (
        house.tests_patch_nothing_of_ours,
        "test_a.py",
        "from ordertrail.kit import clock\nclock.now = None",
    ),
    (house.settings_are_described, "settings.py", "class Settings:\n    port: int = 8000"),
    (house.settings_are_described, "settings.py", SETTING + "    port: int = 8000"),
    (
        house.settings_are_described,
        "settings.py",
        SETTING + "    port: int = Field(8000, description=' ')",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_each_rule_complains_about_code_that_breaks_it(rule: Rule, path: str, text: str) -> None:
    assert all(complaint.startswith(f"{path}:") for complaint in rule(Module(path, text)))
    assert list(rule(Module(path, text)))


def test_no_rule_goes_untried() -> None:
    tried = {rule for rule, _, _ in BROKEN}
    assert tried == {*SOURCE_RULES, *TEST_RULES, house.settings_are_described}


SOUND: list[tuple[Rule, str, str]] = [
    (house.imports_follow_the_law, "app.py", "from ordertrail.store import deals"),
    (house.imports_follow_the_law, "__init__.py", "from ordertrail.sync.tracker import Tracker"),
    (house.imports_follow_the_law, "domain/deal.py", "from ordertrail.domain import money"),
    (house.libraries_stay_in_their_layers, "client/http.py", "import aiohttp, msgspec"),
    (house.sql_stays_in_the_store, "sync/outbox_rows.py", "s = 'SELECT 1'"),
    (house.sql_stays_in_the_store, "api/routes.py", "methods = ['DELETE', 'UPDATE']"),
    (house.functions_are_short, "kit/a.py", "def f():\n" + "    x = 1\n" * 69),
    (house.modules_are_short, "kit/a.py", "x = 1\n" * 400),
    (
        house.what_is_public_is_typed,
        "kit/a.py",
        (
            "class _A:\n    def f(self, x): ...\nclass B:\n    def __enter__(self): ...\n"
            "    def f(self) -> int:\n        def g(x): ..."
        ),
    ),
    (house.no_failure_is_swallowed, "kit/a.py", SWALLOW.format(caught="OSError", body="pass")),
    (
        house.no_failure_is_swallowed,
        "kit/a.py",
        SWALLOW.format(caught="Exception as error", body="answer.set_exception(error)"),
    ),
    (house.no_failure_is_swallowed, "kit/a.py", SWALLOW.format(caught="Exception", body="raise")),
    (
        house.nothing_happens_at_import,
        "kit/a.py",
        "def f():\n    return open('x')\nif __name__ == '__main__':\n    open('x')",
    ),
    (house.only_settings_read_the_environment, "settings.py", "import os\nx = os.environ"),
    (house.time_comes_from_the_clock, "kit/clock.py", "import time\ntime.time()"),
    (house.time_comes_from_the_clock, "sync/deliver.py", "import time\ntime.perf_counter()"),
    (house.tests_do_not_sleep, "test_a.py", "clock.sleep(5)"),
    (
        house.tests_patch_nothing_of_ours,
        "test_a.py",
        "import os\ndef test(monkeypatch):\n    monkeypatch.setattr(os, 'name', 'nt')",
    ),
    (
        house.settings_are_described,
        "settings.py",
        SETTING + "    port: int = Field(8000, description='Where the server listens.')",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), SOUND)
def test_no_rule_complains_about_sound_code(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Module(path, text)))


def test_a_circle_of_imports_is_shown_and_what_leads_into_it_is_not() -> None:
    texts = {
        "kit/__init__.py": "",
        "kit/a.py": "from ordertrail.kit.b import x",
        "kit/b.py": "from ordertrail.kit import c",
        "kit/c.py": "import ordertrail.kit.a",
        "kit/d.py": "from ordertrail.kit import a",
    }
    (complaint,) = house.import_cycles([Module(*each) for each in texts.items()])
    assert complaint.endswith(
        "ordertrail.kit.a -> ordertrail.kit.b -> ordertrail.kit.c -> ordertrail.kit.a"
    )


def test_a_setting_is_looked_for_in_the_manual_by_its_name_in_the_environment() -> None:
    fields = "    port: int = Field(8000)\n    proxy: str = Field('', validation_alias='PROXY')\n"
    module = Module("settings.py", SETTING + fields)
    assert list(house.environment_names(module)) == ["ORDERTRAIL_PORT", "PROXY"]
    assert not list(house.settings_are_in_the_manual(module, "`ORDERTRAIL_PORT`, `PROXY`"))
    (complaint,) = house.settings_are_in_the_manual(module, "`ORDERTRAIL_PORTS`, `PROXY`")
    assert complaint.endswith("does not mention ORDERTRAIL_PORT")


@pytest.mark.parametrize("word", ["to" + "do", "Fix" + "Me", "/fa" + "rm/", "Sub" + "agents"])
def test_words_of_the_workshop_are_found_in_any_case(word: str) -> None:
    found = list(house.the_text_is_about_the_product("a.md", f"Fine.\n# {word}: more\n"))
    assert found == [f"a.md:2: {word.removesuffix('s')!r} has no place in the project"]
    assert not list(
        house.the_text_is_about_the_product("a.md", "Masto" + "don hat, prefix" + "mes")
    )


def complaints(rule: Rule, modules: tuple[Module, ...]) -> list[str]:
    return [complaint for module in modules for complaint in rule(module)]


def settings() -> Module:
    if not SETTINGS.exists():
        pytest.skip("src/ordertrail/settings.py is not there yet")
    return Module("settings.py", SETTINGS.read_text("utf-8"))


def text_of(path: Path) -> str:
    """The text of a file; nothing for a binary one, or one that was just deleted."""
    try:
        return path.read_text("utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""
