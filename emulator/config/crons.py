"""Crons wherever a config has them: [triggers], and the schedules of workflows."""

from __future__ import annotations

from collections.abc import Mapping

from emulator import cron
from emulator.config.environments import Scope
from emulator.config.node import Node, Shape, one_of, table, tables
from emulator.config.report import shown
from emulator.cron import Cron, words
from emulator.errors import CronError

_TARGET: Mapping[str, Shape] = {"type": one_of("workflow"), "workflow_name": Node.need}
_EVENT: Mapping[str, Shape] = {
    "type": Node.need,
    "filter": table({"namespace": Node.text, "repo_name": Node.text}),
    "targets": tables(_TARGET),
}


def triggers(scope: Scope) -> tuple[str, ...]:
    """The crons of a worker, as written."""
    owner = scope.of("triggers")
    if owner.value.get("triggers") is None:
        return ()
    node = owner.table("triggers")
    if node is None:
        return ()
    node.only(("crons", "events"))
    tables(_EVENT)(node, "events")
    if node.value.get("crons") is None:
        return ()
    found = node.texts("crons")
    check(node, "crons")
    return found


def check(node: Node, key: str) -> None:
    """Complain about crons that the platform would refuse, one by one, and about two that mean the same."""
    value = node.value[key]
    seen: dict[Cron, str] = {}
    for index, expression in enumerate(value if isinstance(value, list) else ()):
        parsed = _parsed(node, expression, key, index) if isinstance(expression, str) else None
        if parsed is None:
            continue
        if parsed in seen:
            node.error(f"{shown(expression)} is there already, as {shown(seen[parsed])}", key, index)
        seen.setdefault(parsed, expression)


def check_one(node: Node, key: str) -> None:
    """The same for a key that has one cron."""
    _parsed(node, node.value[key], key)


def _parsed(node: Node, expression: str, *way: str | int) -> Cron | None:
    try:
        parsed = cron.parse(expression)
    except CronError as error:
        node.error(f"{shown(expression)}: {error.complaint}", *way)
        return None
    for warning in words.warnings(parsed):
        node.warn(f"{shown(expression)}: {warning}", *way)
    return parsed
