"""[[workflows]]: bindings to durable workflows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from emulator.config import crons
from emulator.config.model import Workflow
from emulator.config.node import Node
from emulator.config.report import shown

MOST_STEPS = 25_000
_KEYS = ("binding", "class_name", "limits", "name", "schedules", "script_name")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_ANY = 2**53


def parse(own: Node, worker: str) -> tuple[Workflow, ...]:
    """The workflows that a worker binds, its own and those of others."""
    rows = own.tables("workflows")
    found = tuple(_workflow(row, worker) for row in rows)
    for row, name in _repeated(rows, (each.name for each in found)):
        row.error(f'"{name}" is the name of another workflow already; each needs its own', "name")
    return found


def _workflow(row: Node, worker: str) -> Workflow:
    row.only(_KEYS)
    found = Workflow(
        binding=row.need("binding"),
        name=_name(row),
        class_name=row.need("class_name"),
        script_name=row.text("script_name"),
        schedules=_schedules(row),
        step_limit=_step_limit(row),
    )
    if found.script_name not in (None, worker):
        for key in ("limits", "schedules"):
            if key in row:
                row.error(f'belongs into the config of "{found.script_name}", the worker that runs the workflow', key)
    return found


def _name(row: Node) -> str:
    found = row.need("name")
    if found and not _NAME.fullmatch(found):
        row.error(f"expected up to 64 letters, digits, _ and -, no - first; got {shown(found)}", "name")
    return found


def _schedules(row: Node) -> tuple[str, ...]:
    """One cron or a list of them."""
    match row.value.get("schedules"):
        case None if "schedules" not in row:
            return ()
        case "":
            row.error("expected a cron, got empty text", "schedules")
        case str(one):
            crons.check_one(row, "schedules")
            return (one,)
        case []:
            row.error("expected at least one cron, got an empty list", "schedules")
        case list():
            crons.check(row, "schedules")
            return row.texts("schedules")
        case other:
            row.error(f"expected a cron or a list of crons, got {shown(other)}", "schedules")
    return ()


def _step_limit(row: Node) -> int | None:
    limits = row.table("limits")
    if limits is None:
        return None
    limits.only(("steps",))
    found = limits.whole("steps", 1, _ANY)
    if found is not None and found > MOST_STEPS:
        limits.warn(f"the platform allows at most {MOST_STEPS}", "steps")
    return found


def _repeated(rows: Iterable[Node], names: Iterable[str]) -> list[tuple[Node, str]]:
    seen: set[str] = set()
    found = []
    for row, name in zip(rows, names, strict=True):
        if name and name in seen:
            found.append((row, name))
        seen.add(name)
    return found
