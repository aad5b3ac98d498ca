"""The worker's own keys: its name, its main module, its date and flags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from emulator.config import flags
from emulator.config.environments import Scope
from emulator.config.model import NO_CODE
from emulator.config.node import Node
from emulator.config.report import shown

# Used where a config has no date.
DEFAULT_DATE = "2026-06-01"
DEFAULT_NAME = "worker"

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def name(scope: Scope) -> str:
    """The worker's name; an environment without one of its own is called after it and the worker."""
    own = _name(scope.own) if not scope.is_top and scope.own.value.get("name") is not None else None
    if own:
        return own
    top = _name(scope.top) or DEFAULT_NAME
    if "name" not in scope.top and scope.is_served:
        scope.top.warn(f'missing, and a deploy asks for it; called "{DEFAULT_NAME}" here', "name")
    return f"{top}-{scope.env}" if scope.env else top


def _name(node: Node) -> str | None:
    found = node.text("name")
    if found and not _NAME.fullmatch(found):
        node.error(
            f"expected lower-case letters, digits, hyphens and underscores, no hyphen first; got {shown(found)}", "name"
        )
    return found


def main(scope: Scope, root: Path) -> Path:
    """The main module, absolute."""
    node = scope.of("main")
    if "main" not in node:
        if "assets" in scope.of("assets"):
            return NO_CODE
        if scope.is_served:
            node.report.missing((*node.way, "main"), 'name the main module: main = "src/entry.py"')
        return root
    found = node.need("main")
    path = (root / found).absolute()
    if found and path.suffix != ".py":
        node.error(f"expected a Python module, ending in .py; got {shown(found)}", "main")
    elif found and not path.is_file():
        node.error(f"there is no file {path}", "main")
    return path


def compatibility_date(scope: Scope) -> str:
    node = scope.of("compatibility_date")
    found = node.text("compatibility_date")
    if "compatibility_date" not in node and scope.is_served:
        node.warn(f'missing; taken as "{DEFAULT_DATE}"', "compatibility_date")
    if found is None:
        return DEFAULT_DATE
    if "–" in found or "—" in found:  # noqa: RUF001 - the dashes that text editors make of hyphens
        node.error(f"expected hyphens in the date, got the longer dash in {shown(found)}", "compatibility_date")
    elif not _is_date(found):
        node.error(f"expected a date such as {DEFAULT_DATE}, got {shown(found)}", "compatibility_date")
    return found


def compatibility_flags(scope: Scope) -> tuple[str, ...]:
    node = scope.of("compatibility_flags")
    found = node.texts("compatibility_flags")
    has_code = "main" in scope.of("main") or "assets" not in scope.of("assets")
    if scope.is_served and has_code and "python_workers" not in found:
        node.warn('the platform asks for "python_workers" here to run a Python worker', "compatibility_flags")
    for on, off in _contradictions(found):
        node.error(f'"{on}" and "{off}" contradict each other; keep one', "compatibility_flags", found.index(off))
    return found


def _contradictions(found: Sequence[str]) -> list[tuple[str, str]]:
    return [(flag.name, flag.off) for flag in flags.FLAGS if flag.off and {flag.name, flag.off} <= set(found)]


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
