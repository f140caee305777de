"""Source as the house rules read it: one file, its tree, and what its names stand for."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "ordertrail"

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One file of source; `path` is relative to the package, or to the tests, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What each imported name stands for: `dt` -> `datetime.datetime`."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                names.update(
                    (each.asname or each.name, f"{node.module}.{each.name}") for each in node.names
                )
            elif isinstance(node, ast.Import):
                for each in node.names:
                    top = each.name.split(".")[0]
                    names[each.asname or top] = each.name if each.asname else top
        return names

    @property
    def name(self) -> str:
        parts = (PACKAGE, *self.path.removesuffix(".py").split("/"))
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def layer(self) -> str:
        top = self.path.split("/")[0].removesuffix(".py")
        return "" if top == "__init__" else top

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Every import statement with each dotted name that it asks for."""
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                before = "." * node.level + (node.module or "")
                yield from ((node, f"{before}.{each.name}") for each in node.names)
            elif isinstance(node, ast.Import):
                yield from ((node, each.name) for each in node.names)

    def qualified(self, node: ast.AST) -> str:
        """The full name that an expression reads: `dt.now` -> `datetime.datetime.now`."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.qualified(node.value)}.{node.attr}"
        return f"{self.qualified(node.func)}()" if isinstance(node, ast.Call) else "?"

    def mentions(self) -> Iterator[tuple[ast.AST, str]]:
        """Every name and attribute that is read, and every name imported from a module."""
        for node in self.nodes:
            if isinstance(node, ast.Name | ast.Attribute):
                yield node, self.qualified(node)
        yield from ((node, name) for node, name in self.imports())

    def at(self, node: ast.AST, complaint: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {complaint}"


def read(folder: Path) -> tuple[Module, ...]:
    """Every Python file under a folder, in the order of their paths."""
    paths = sorted(folder.rglob("*.py"))
    return tuple(
        Module(path.relative_to(folder).as_posix(), path.read_text("utf-8")) for path in paths
    )


def public_definitions(
    body: Iterable[ast.stmt], in_class: bool = False
) -> Iterator[tuple[Function | ast.ClassDef, bool]]:
    """Public functions and classes, also those under a condition; not what is nested in them."""
    for node in body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            if not node.name.startswith("_"):
                yield node, in_class
                if isinstance(node, ast.ClassDef):
                    yield from public_definitions(node.body, in_class=True)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            inner = (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt))
            yield from public_definitions(inner, in_class)


def run_at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that an import runs: all but the bodies of functions and of the main guard."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            waiting += [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
            waiting += getattr(node, "decorator_list", [])
        elif not (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)):
            yield node
            waiting += ast.iter_child_nodes(node)
