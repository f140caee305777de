"""The house rules as functions: a module of source goes in, complaints come out.

A complaint is one line, `path:line: what is wrong and what to do instead`. None is praise.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from house_source import FUNCTIONS, PACKAGE, Module, public_definitions, run_at_import

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400

LAYERS = {  # layer: what it may know about, besides itself
    "domain": set[str](),
    "kit": set[str](),
    "wire": {"domain"},
    "store": {"domain", "kit"},
    "actions": {"domain", "kit", "store"},
    "insight": {"domain", "kit", "store"},
    "automation": {"domain", "kit", "store", "actions", "insight"},
    "api": {"domain", "wire", "kit", "actions", "insight"},
    "console": {"domain", "kit", "actions", "insight", "automation"},
    "client": {"domain", "wire"},
    "sync": {"domain", "kit", "client"},
}
_ALONE = {"settings", "version", "sample"}
_WIRING = {"app", "cli", "commands", "opening"}
MAY_IMPORT = {
    **LAYERS,
    **{name: set[str]() for name in _ALONE},
    **{name: {*LAYERS, *_ALONE, *_WIRING} for name in _WIRING},
    "": {"domain", "sync"},  # the package itself, which offers the library's names
    "testing": {"", "sync"},  # what a shop's own tests use
    "__main__": {"cli"},
}
"""The law of imports. A module or folder directly under the package must stand in this table."""

ONLY_IN = {  # third-party or standard module: the layers that may import it
    "aiohttp": {"client"},
    "apsw": {"kit"},
    "prometheus_client": {"api"},
    "psycopg": {"kit"},
    "pydantic_settings": {"settings"},
    "sqlite3": set[str](),  # two SQLite libraries on one file break each other's locks
    "starlette": {"api", "console", "app"},
    "uvicorn": {"api", "commands"},
}
SQL_IN = ("store/", "insight/", "kit/", "sync/outbox")
STOPWATCH_IN = {"kit", "api", "app", "sync", "cli", "commands"}

_CLOCK = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.time",
    "time.time_ns",
}
_STOPWATCH = {
    f"time.{name}{unit}" for name in ("monotonic", "perf_counter") for unit in ("", "_ns")
}
_ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
_BROAD = {"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"}
_DOES_SOMETHING = {
    "ClientSession", "Connection", "Starlette", "connect", "create_connection", "open",
    "read_bytes", "read_text", "urlopen",
}  # fmt: skip
_SLEEP = {"anyio.sleep", "asyncio.sleep", "time.sleep", "trio.sleep"}
_MOCKS = ("unittest.mock", "mock", "pytest_mock")
_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s")

# ---- direction ----


def imports_follow_the_law(module: Module) -> Iterator[str]:
    if module.layer not in MAY_IMPORT:
        yield module.at(module.tree, f"{module.layer!r} is no layer in the law of imports")
        return
    allowed = MAY_IMPORT[module.layer] | {module.layer}
    for node, name in module.imports():
        if name.startswith("."):
            yield module.at(node, "a relative import hides its direction; write it out")
        elif name.split(".")[0] == PACKAGE and (known := _layer_of(name)) not in allowed:
            whom = f"layer {known!r}" if known else "the package itself"
            yield module.at(node, f"layer {module.layer!r} may not know {whom} ({name})")


def libraries_stay_in_their_layers(module: Module) -> Iterator[str]:
    for node, name in module.imports():
        top = name.split(".")[0]
        if module.layer not in ONLY_IN.get(top, {module.layer}):
            where = ", ".join(sorted(ONLY_IN[top])) or "nowhere"
            yield module.at(node, f"{top} is imported in {where} only")
        if module.layer == "domain" and top not in {PACKAGE, *sys.stdlib_module_names}:
            yield module.at(node, f"the domain knows the standard library only, not {top}")


def import_cycles(modules: Iterable[Module]) -> Iterator[str]:
    """One complaint that shows a cycle, if there is one."""
    named = {module.name: module for module in modules}
    knows = {
        name: {_module_of(asked, named) for _, asked in module.imports()} & named.keys()
        for name, module in named.items()
    }
    while free := [name for name, known in knows.items() if not known & knows.keys()]:
        for name in free:
            del knows[name]
    path: list[str] = []
    here = min(knows, default="")
    while here and here not in path:
        path.append(here)
        here = min(knows[here] & knows.keys())
    if here:
        yield "modules import each other: " + " -> ".join([*path[path.index(here) :], here])


def imports_stand_at_the_top(module: Module) -> Iterator[str]:
    for function in module.nodes:
        if isinstance(function, FUNCTIONS):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield module.at(node, f"an import inside {function.name}; move it to the top")


def sql_stays_in_the_store(module: Module) -> Iterator[str]:
    if module.path.startswith(SQL_IN):
        return
    for node in module.nodes:
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and _STATEMENT.match(text):
            yield module.at(node, f"SQL belongs in one of: {', '.join(SQL_IN)}")


# ---- size and promises ----


def functions_are_short(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, FUNCTIONS):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield module.at(
                    node, f"{node.name} has {lines} lines; {FUNCTION_LINES_MAX} at most"
                )


def modules_are_short(module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield module.at(module.tree, f"{lines} lines; {MODULE_LINES_MAX} at most")


def modules_say_what_they_are_for(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield module.at(module.tree, "the module has no docstring")


def what_is_public_has_a_docstring(module: Module) -> Iterator[str]:
    for node, _ in public_definitions(module.tree.body):
        overload = any(module.qualified(each) == "typing.overload" for each in node.decorator_list)
        if not ast.get_docstring(node) and not overload:
            yield module.at(node, f"{node.name} has no docstring")


def what_is_public_is_typed(module: Module) -> Iterator[str]:
    for node, in_class in public_definitions(module.tree.body):
        if isinstance(node, ast.ClassDef):
            continue
        static = any(module.qualified(each) == "staticmethod" for each in node.decorator_list)
        positional = [*node.args.posonlyargs, *node.args.args][in_class and not static :]
        rest = [*node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        bare = [each.arg for each in [*positional, *rest] if each and each.annotation is None]
        if bare:
            yield module.at(node, f"{node.name}: no type for {', '.join(bare)}")
        if node.returns is None:
            yield module.at(node, f"{node.name}: no return type")


# ---- behaviour ----


def no_failure_is_swallowed(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_broad(module, node.type):
            if not _hands_on(node):
                yield module.at(node, "a broad except must raise again or hand the failure on")
        elif isinstance(node, ast.Call) and _suppresses_all(module, node):
            yield module.at(node, "suppress swallows every failure; name the one you mean")


def nothing_happens_at_import(module: Module) -> Iterator[str]:
    for node in run_at_import(module.tree):
        if isinstance(node, ast.Call):
            name = module.qualified(node.func)
            if name.split(".")[-1] in _DOES_SOMETHING or name in _ENVIRONMENT:
                yield module.at(node, f"{name} runs at import; call it from a function")
        elif isinstance(node, ast.Attribute | ast.Name) and module.qualified(node) in _ENVIRONMENT:
            yield module.at(node, "the environment is read at import; read it in a function")


def only_settings_read_the_environment(module: Module) -> Iterator[str]:
    for node, name in module.mentions():
        if name in _ENVIRONMENT and module.path != "settings.py":
            yield module.at(node, f"{name}: the environment is read in settings.py only")


def time_comes_from_the_clock(module: Module) -> Iterator[str]:
    for node, name in module.mentions():
        if name in _CLOCK and module.path != "kit/clock.py":
            yield module.at(node, f"{name}: the time is an argument, read in kit/clock.py only")
        elif name in _STOPWATCH and module.layer not in STOPWATCH_IN:
            yield module.at(node, f"{name}: layer {module.layer!r} has no stopwatch")


# ---- tests ----


def tests_do_not_sleep(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Call) and module.qualified(node.func) in _SLEEP:
            yield module.at(node, "a test that sleeps; pass the time in, or wait for an event")


def tests_patch_nothing_of_ours(module: Module) -> Iterator[str]:
    for node, name in module.imports():
        if any(f"{name}.".startswith(f"{mock}.") for mock in _MOCKS):
            yield module.at(node, "no mocks: pass the part in as an argument")
    for node in module.nodes:
        for target in _patched(node):
            text = target.value if isinstance(target, ast.Constant) else module.qualified(target)
            if str(text).split(".")[0] == PACKAGE:
                yield module.at(node, f"{text} is patched: a test that patches misses an argument")


# ---- settings ----


def settings_are_described(module: Module) -> Iterator[str]:
    fields = list(_settings(module))
    if not fields:
        yield module.at(module.tree, "no BaseSettings class with a field: settings went elsewhere")
    for owner, name, options in fields:
        text = options.get("description")
        if not (isinstance(text, ast.Constant) and str(text.value or "").strip()):
            yield module.at(owner, f"setting {name} needs Field(description='what it does')")


def environment_names(module: Module) -> Iterator[str]:
    """The name in the environment of each setting."""
    for owner, name, options in _settings(module):
        alias = options.get("validation_alias") or options.get("alias")
        if alias is not None:
            yield from (
                each.value
                for each in ast.walk(alias)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
        else:
            yield f"{_prefix(owner)}{name}".upper()


def settings_are_in_the_manual(module: Module, manual: str) -> Iterator[str]:
    for name in environment_names(module):
        if not re.search(rf"\b{re.escape(name)}\b", manual):
            yield f"docs/settings.md does not mention {name}"


# ---- text ----


def words_of_the_workshop() -> re.Pattern[str]:
    """What no file of the project says; put together here, so that this file says none of it."""
    whole = ("to" + "do", "fix" + "me", "not" + "implemented" + "error")
    parts = ("/wo" + "rk/", "/fa" + "rm/", "sub" + "agent", "language" + " " + "model")
    return re.compile(
        "|".join([*(rf"(?<![a-z]){word}(?![a-z])" for word in whole), *map(re.escape, parts)]),
        re.IGNORECASE,
    )


def the_text_is_about_the_product(path: str, text: str) -> Iterator[str]:
    pattern = words_of_the_workshop()
    if pattern.search(text):
        for number, line in enumerate(text.splitlines(), 1):
            if found := pattern.search(line):
                yield f"{path}:{number}: {found.group()!r} has no place in the project"


# ---- how the rules read source ----


def _layer_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else ""


def _module_of(name: str, named: dict[str, Module]) -> str:
    while name and name not in named:
        name = name.rpartition(".")[0]
    return name


def _is_broad(module: Module, caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(module, each) for each in caught.elts)
    return caught is None or module.qualified(caught) in _BROAD


def _suppresses_all(module: Module, call: ast.Call) -> bool:
    is_suppress = module.qualified(call.func) == "contextlib.suppress"
    return is_suppress and any(_is_broad(module, each) for each in call.args)


def _hands_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether the body raises, or passes the caught failure to a call or an assignment."""
    for node in (each for statement in handler.body for each in ast.walk(statement)):
        if isinstance(node, ast.Raise):
            return True
        given: list[ast.AST | None] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") != "isinstance":
            given = [*node.args, *(each.value for each in node.keywords)]
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Return):
            given = [node.value]
        names = (each for part in given if part for each in ast.walk(part))
        if any(isinstance(each, ast.Name) and each.id == handler.name for each in names):
            return True
    return False


def _patched(node: ast.AST) -> list[ast.expr]:
    """What a statement or call of a test puts something else into."""
    if isinstance(node, ast.Assign):
        return [each.value for each in node.targets if isinstance(each, ast.Attribute)]
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return node.args[:1] if name in {"setattr", "delattr", "setitem"} else []
    return []


def _settings(module: Module) -> Iterator[tuple[ast.ClassDef, str, dict[str | None, ast.expr]]]:
    """Each field of a settings class with the keywords of its `Field(...)`."""
    for owner in module.nodes:
        if not isinstance(owner, ast.ClassDef):
            continue
        if "pydantic_settings.BaseSettings" not in map(module.qualified, owner.bases):
            continue
        for node in owner.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            if node.target.id != "model_config" and "ClassVar" not in ast.unparse(node.annotation):
                calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
                fields = [each for each in calls if module.qualified(each.func).endswith("Field")]
                options = {each.arg: each.value for call in fields for each in call.keywords}
                yield owner, node.target.id, options


def _prefix(owner: ast.ClassDef) -> str:
    calls = [node for node in ast.walk(owner) if isinstance(node, ast.Call)]
    keywords = [*owner.keywords, *(each for call in calls for each in call.keywords)]
    return "".join(
        str(ast.literal_eval(each.value)) for each in keywords if each.arg == "env_prefix"
    )
