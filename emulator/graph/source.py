"""The user's modules as syntax trees: where classes, functions and constants are found. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.errors import EmulatorError

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file."""

    path: Path
    tree: ast.Module

    def find(self, name: str) -> ast.stmt | None:
        """A function, a class or an assignment at the top of the file, the last of its name."""
        return next((each for each in reversed(self.tree.body) if name in _names_of(each)), None)

    def imports(self) -> Iterator[tuple[str, str, str]]:
        """Each `from module import name as alias`: alias, module, name."""
        for each in ast.walk(self.tree):
            if isinstance(each, ast.ImportFrom):
                for imported in each.names:
                    yield imported.asname or imported.name, each.module or "", imported.name


@dataclass(frozen=True)
class Sources:
    """All files of a worker that were read."""

    modules: Mapping[Path, Module]

    def look_up(self, module: Module, name: str) -> tuple[Module, ast.stmt] | None:
        """What a name at the top of a module stands for, through one import from another file of the worker."""
        found = module.find(name)
        if found is not None:
            return module, found
        for alias, origin, original in module.imports():
            other = self._named(origin) if alias == name else None
            there = other.find(original) if other is not None else None
            if other is not None and there is not None:
                return other, there
        return None

    def method(self, module: Module, owner: ast.ClassDef, name: str) -> tuple[Module, ast.ClassDef, Function] | None:
        """A method of a class, or of those it is derived from."""
        return self._method(module, owner, name, frozenset())

    def constant(self, module: Module, node: ast.expr) -> Any:
        """The value of an expression that can be known without running it. Raises ValueError for the others."""
        if isinstance(node, ast.Name):
            found = self.look_up(module, node.id)
            value = getattr(found[1], "value", None) if found is not None else None
            if found is None or not isinstance(value, ast.expr):
                raise ValueError(node.id)
            return ast.literal_eval(value)
        return ast.literal_eval(node)

    def _method(
        self, module: Module, owner: ast.ClassDef, name: str, seen: frozenset[str]
    ) -> tuple[Module, ast.ClassDef, Function] | None:
        for each in reversed(owner.body):
            if isinstance(each, Function) and each.name == name:
                return module, owner, each
        for base in owner.bases:
            above = self.look_up(module, base.id) if isinstance(base, ast.Name) and base.id not in seen else None
            if above is not None and isinstance(above[1], ast.ClassDef):
                found = self._method(above[0], above[1], name, seen | {owner.name, above[1].name})
                if found is not None:
                    return found
        return None

    def _named(self, name: str) -> Module | None:
        last = name.rpartition(".")[2]
        for path, module in self.modules.items():
            if last and (path.stem == last or (path.stem == "__init__" and path.parent.name == last)):
                return module
        return None


def parse(sources: Mapping[Path, str]) -> Sources:
    """The trees of some files. Raises EmulatorError for one that is no Python."""
    return Sources({path: Module(path, _tree(path, text)) for path, text in sources.items()})


def _tree(path: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text, path.name)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise EmulatorError(f"{path}{f':{line}' if line else ''}: cannot be read: {error}") from error


def _names_of(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []
