"""`rules`, `find_additional_modules` and `base_dir`: which files make up the worker, and where their names begin."""

from __future__ import annotations

import os
from pathlib import Path

from emulator.bundle import Bundle, Rule
from emulator.config.environments import Scope
from emulator.config.node import Node

_TYPES = ("ESModule", "CommonJS", "CompiledWasm", "Text", "Data")


def parse(scope: Scope) -> Bundle:
    node = scope.of("rules")
    found = tuple(rule for row in node.tables("rules") if (rule := _rule(row)) is not None)
    return Bundle(found, with_others=scope.of("find_additional_modules").flag("find_additional_modules") is not False)


def _rule(row: Node) -> Rule | None:
    row.only(("fallthrough", "globs", "type"))
    kind, globs = row.choice("type", _TYPES), row.texts("globs")
    if "type" not in row:
        row.report.missing((*row.way, "type"), f"one of {', '.join(_TYPES)}")
    if "globs" not in row:
        row.report.missing((*row.way, "globs"), 'such as ["**/*.txt"]')
    fallthrough = row.flag("fallthrough")
    return Rule(kind, globs, bool(fallthrough)) if kind else None


def base(scope: Scope, root: Path, main: Path) -> Path:
    """The folder that modules are imported from: `base_dir`, or the one of the main module."""
    node = scope.of("base_dir")
    found = node.text("base_dir")
    if not found:
        return main.parent
    folder = Path(os.path.normpath(root.absolute() / found))
    if main.is_relative_to(folder):
        return folder
    node.error(f"the main module {main.name} does not lie in it; name the folder that holds all modules", "base_dir")
    return main.parent
