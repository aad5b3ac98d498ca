"""What can be said of a worker as a whole: which of its handlers are called, and whether its packages are carried."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from emulator.errors import Problem
from emulator.portability import lacking


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
