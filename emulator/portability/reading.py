"""Reads one module of a worker, knowing what its names stand for and what runs while it is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import PurePath

from emulator.errors import Problem
from emulator.portability import lacking, syntax


def findings(
    source: str, file: str, *, has_sockets: bool = False, left_behind: Callable[[str], str | None] = lambda name: None
) -> list[Problem]:
    """
    What to look at before a deploy, in the order of the lines.

    `left_behind` says why a file or a folder of this name is not taken along, and None where it is, or there is none.
    Raises SyntaxError for what is no Python.
    """
    tree = ast.parse(source, file)
    reading = _Reading(file, {} if has_sockets else lacking.SOCKETS, syntax.called_at_import(tree), left_behind)
    reading.visit(tree)
    return sorted(reading.found, key=lambda problem: problem.line or 0)


class _Reading(ast.NodeVisitor):
    """Walks the tree. Each `visit_` method is called by the base class for its kind of node."""

    def __init__(
        self,
        file: str,
        sockets: Mapping[str, str],
        called_at_import: frozenset[ast.FunctionDef],
        left_behind: Callable[[str], str | None],
    ) -> None:
        self.found: list[Problem] = []
        self._file = file
        self._calls = {**lacking.CALLS, **sockets}
        self._called_at_import = called_at_import
        self._left_behind = left_behind
        self._names: dict[str, str] = {}
        self._depth = 0
        self._may_be_missing = 0

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._names[alias.asname or top] = alias.name if alias.asname else top
            self._check_module(node, top)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        # With its dots: what a module of the worker's own has is in no table.
        origin = "." * node.level + (node.module or "")
        if not node.level:
            self._check_module(node, origin.partition(".")[0])
        for alias in node.names:
            self._names[alias.asname or alias.name] = f"{origin}.{alias.name}"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node, is_run=not self._depth and node in self._called_at_import)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inside(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in node.bases:
            text = self._calls.get(name := self._dotted(base))
            if text is not None:
                self._say(base, f"{name}: {text}")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        holds = syntax.holds_there(node.test)
        for each in [*(node.body if holds is not False else ()), *(node.orelse if holds is not True else ())]:
            self.visit(each)
        self.visit(node.test)

    def visit_Try(self, node: ast.Try) -> None:
        guarded = syntax.catches_import_errors(node)
        self._may_be_missing += guarded
        for each in node.body:
            self.visit(each)
        self._may_be_missing -= guarded
        for other in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(other)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._dotted(node.func)
        text = self._why_not(node, name)
        if text is not None:
            self._say(node, f"{name or ast.unparse(node.func)}: {text}")
        elif self._opens_for_writing(node, name):
            self._say(node, f"{ast.unparse(node.func)} for writing: {lacking.WRITES}")
        if name.rpartition(".")[2] in lacking.READS_FOLDER:
            for each in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(each, ast.Constant):
                    self._check_file(each, each.value)
        self._check_file(node, syntax.path_text(node))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        path = syntax.path_text(node)
        if path is None:
            self.generic_visit(node)
            return
        self._check_file(node, path)
        self.visit(syntax.start_of_path(node))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and PurePath(node.value).suffix:
            self._check_file(node, node.value)

    def _inside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, *, is_run: bool = False) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults, *getattr(node, "decorator_list", ())):
            if default is not None:
                self.visit(default)
        self._depth += not is_run
        for each in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(each)
        self._depth -= not is_run

    def _why_not(self, node: ast.Call, name: str) -> str | None:
        """What the tables say of a call."""
        text = _looked_up(self._calls, name)
        if text is None and not self._depth and not (name in lacking.SEEDED and node.args):
            text = _looked_up(lacking.AT_IMPORT, name)
        if text is None and isinstance(node.func, ast.Attribute) and not name.startswith("os."):
            text = lacking.METHODS.get(node.func.attr)
        if name == "sqlite3.connect" and isinstance(node.args[0] if node.args else None, ast.Constant):
            text = None if ast.unparse(node.args[0]) == "':memory:'" else lacking.WRITES
        return text

    def _opens_for_writing(self, node: ast.Call, name: str) -> bool:
        if name in lacking.OPENS:
            return syntax.writes(node, 1)
        return isinstance(node.func, ast.Attribute) and node.func.attr == "open" and syntax.writes(node, 0)

    def _check_module(self, node: ast.stmt, name: str) -> None:
        if name in lacking.MODULES and not self._may_be_missing:
            self._say(node, f"the module {name} is not there")

    def _check_file(self, node: ast.expr, name: object) -> None:
        if isinstance(name, str) and 0 < len(name) < 200 and "\n" not in name:
            why = self._left_behind(name)
            if why is not None:
                self._say(node, f'"{name}" is not bundled: {why}')

    def _dotted(self, node: ast.expr) -> str:
        """What a name stands for, as far as imports tell: `Thread` is `threading.Thread`. Empty for a variable."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        known = self._names.get(node.id, "" if parts else node.id)
        return ".".join([known, *reversed(parts)]) if known else ""

    def _say(self, node: ast.stmt | ast.expr, text: str) -> None:
        problem = Problem(path="", message=text, file=self._file, line=node.lineno)
        if problem not in self.found:
            self.found.append(problem)


def _looked_up(table: Mapping[str, str], name: str) -> str | None:
    if name in table:
        return table[name]
    families = (key for key in table if name.startswith(key) and (key.endswith(".") or name.startswith("os.")))
    return next((table[key] for key in families), None)
