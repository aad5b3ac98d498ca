"""What works here and not on the platform, by reading a worker's code. Pure: nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath

from emulator import lacking
from emulator.errors import Problem


def findings(
    source: str, file: str, *, has_sockets: bool = False, is_file: Callable[[str], bool] = lambda name: False
) -> list[Problem]:
    """
    What to look at before a deploy, in the order of the lines. `is_file` tells which texts name a file of the project.

    Raises SyntaxError for what is no Python.
    """
    reading = _Reading(file, {} if has_sockets else lacking.SOCKETS, is_file)
    reading.visit(ast.parse(source, file))
    return sorted(reading.found, key=lambda problem: problem.line or 0)


def handlers(source: str, file: str, *, classes_only: bool) -> Iterator[Problem]:
    """Module-level handlers of the main module that the platform does not call."""
    body = ast.parse(source, file).body
    names = {name for each in body for name in _bound(each)}
    if "Default" in names:
        return
    for each in body:
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        plain = each.name.removeprefix("on_")
        if plain in ("fetch", "scheduled", "queue") and (classes_only or each.name == plain):
            instead = f"class Default(WorkerEntrypoint) with a method {plain}"
            text = f"{each.name} is not called there: at this compatibility date write {instead}"
            yield Problem(path="", message=text, file=file, line=each.lineno)


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.name
        case ast.Assign():
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in node.names)
        case _:
            pass


def native(packages: Mapping[str, str]) -> Iterator[Problem]:
    """Packages with compiled parts that the platform does not carry: import name → file."""
    for name, file in sorted(packages.items()):
        if name not in lacking.CARRIED:
            yield Problem(
                path="packages",
                message=f"{name} has compiled parts ({PurePath(file).name}), and the platform does not carry it;"
                " look for a package in pure Python",
            )


class _Reading(ast.NodeVisitor):
    """Walks one module, and knows what its names stand for and whether code runs while it is imported."""

    def __init__(self, file: str, sockets: Mapping[str, str], is_file: Callable[[str], bool]) -> None:
        self.found: list[Problem] = []
        self._file = file
        self._calls = {**lacking.CALLS, **sockets}
        self._is_file = is_file
        self._names: dict[str, str] = {}
        self._depth = 0

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._names[alias.asname or top] = alias.name if alias.asname else top
            self._check_module(node, top)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            return
        self._check_module(node, node.module.partition(".")[0])
        for alias in node.names:
            self._names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inside(node)

    def visit_If(self, node: ast.If) -> None:
        # A module is never `__main__` on the platform, nor is a type checker running.
        if not (isinstance(node.test, ast.Compare | ast.Name) and _is_never(node.test)):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._dotted(node.func)
        text = _looked_up(self._calls, name)
        if text is None and not self._depth:
            text = _looked_up(lacking.AT_IMPORT, name)
        if text is None and isinstance(node.func, ast.Attribute) and not name.startswith("os."):
            text = lacking.WRITING.get(node.func.attr)
        if name == "open" and _writes(node):
            text, name = lacking.WRITING["write_text"], "open for writing"
        if text is not None:
            self._say(node, f"{name or ast.unparse(node.func)}: {text}")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if not isinstance(value, str) or not 0 < len(value) < 200 or "\n" in value:
            return
        if PurePath(value).suffix and PurePath(value).suffix not in lacking.BUNDLED and self._is_file(value):
            self._say(
                node,
                f'"{value}" is not bundled: of the files beside the worker only '
                f"{', '.join(sorted(lacking.BUNDLED))} are; add a rule for it to `rules` of the config",
            )

    def _inside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults, *getattr(node, "decorator_list", ())):
            if default is not None:
                self.visit(default)
        self._depth += 1
        for each in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(each)
        self._depth -= 1

    def _check_module(self, node: ast.stmt, name: str) -> None:
        if name in lacking.MODULES:
            self._say(node, f"the module {name} is not there")

    def _dotted(self, node: ast.expr) -> str:
        """What a name stands for, as far as imports tell: `Thread` is `threading.Thread`."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._names.get(node.id, node.id), *reversed(parts)])

    def _say(self, node: ast.stmt | ast.expr, text: str) -> None:
        self.found.append(Problem(path="", message=text, file=self._file, line=node.lineno))


def _looked_up(table: Mapping[str, str], name: str) -> str | None:
    if name in table:
        return table[name]
    families = (key for key in table if name.startswith(key) and (key.endswith(".") or name.startswith("os.")))
    return next((table[key] for key in families), None)


def _is_never(test: ast.expr) -> bool:
    if isinstance(test, ast.Name):
        return test.id == "TYPE_CHECKING"
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _writes(node: ast.Call) -> bool:
    modes = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wax+") for mode in modes)
