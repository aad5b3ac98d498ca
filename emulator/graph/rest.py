"""A graph in the JSON of the platform's API. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from emulator.graph.nodes import (
    Arm,
    Call,
    Do,
    Graph,
    If,
    Leave,
    Loop,
    Node,
    Parallel,
    Sleep,
    SleepUntil,
    Switch,
    Try,
    Unread,
    Wait,
)

_VERSION = 1
_RETRIES = {"limit": 5, "delay": 1000, "backoff": "exponential"}
_BACKOFFS = ("constant", "linear", "exponential")
_TIMEOUT = "10 minutes"


def as_rest(graph: Graph) -> dict[str, Any]:
    """The `graph` of a version."""
    functions = {
        name: {"type": "function_def", "name": name, "nodes": _nodes(nodes)} for name, nodes in graph.functions.items()
    }
    workflow = {"class_name": graph.class_name, "functions": functions, "nodes": _nodes(graph.nodes)}
    return {"version": _VERSION, "workflow": {**workflow, "payload": {"type": "unknown"}}}


def _nodes(nodes: Iterable[Node]) -> list[dict[str, Any]]:
    return [_node(node) for node in nodes]


def _node(node: Node) -> dict[str, Any]:
    match node:
        case Do(name=name, config=config, nodes=nodes):
            return {"type": "step_do", "name": name, "config": _config(config), "nodes": _nodes(nodes)}
        case Sleep(name=name, duration=duration):
            return {"type": "step_sleep", "name": name, "duration": duration}
        case SleepUntil(name=name, timestamp=timestamp):
            return {"type": "step_sleep_until", "name": name, "timestamp": timestamp}
        case Wait(name=name, event_type=event_type, timeout=timeout):
            options = {"event_type": event_type, "timeout": timeout}
            return {"type": "step_wait_for_event", "name": name, "options": options, "payload": {"type": "unknown"}}
        case Call(name=name):
            return {"type": "function_call", "name": name}
        case Unread(code=code):
            # The platform has no word for it; a call of something that the functions do not list comes nearest.
            return {"type": "function_call", "name": f"{code} (not read)"}
        case Loop(nodes=nodes):
            return {"type": "loop", "nodes": _nodes(nodes)}
        case Parallel(branches=branches, kind=kind):
            return {"type": "parallel", "kind": kind, "nodes": [_branch(each) for each in branches]}
        case If(arms=arms):
            return {"type": "if", "branches": [_arm(arm) for arm in arms]}
        case Switch(subject=subject, arms=arms):
            return {"type": "switch", "discriminant": subject, "branches": [_arm(arm) for arm in arms]}
        case Try(body=body, caught=caught, last=last):
            blocks = {"try_block": body, "catch_block": caught, "finally_block": last}
            return {"type": "try", **{name: _block(nodes) if nodes else None for name, nodes in blocks.items()}}
        case Leave(kind=kind):
            return {"type": "break", "kind": kind}
        case _:
            assert_never(node)


def _branch(nodes: tuple[Node, ...]) -> dict[str, Any]:
    return _node(nodes[0]) if len(nodes) == 1 else _block(nodes)


def _block(nodes: tuple[Node, ...]) -> dict[str, Any]:
    return {"type": "block", "nodes": _nodes(nodes)}


def _arm(arm: Arm) -> dict[str, Any]:
    return {"condition": arm.condition, "nodes": _nodes(arm.nodes)}


def _config(given: Mapping[str, Any]) -> dict[str, Any]:
    """The config in force, as far as it could be read; the defaults for the rest."""
    retries = given.get("retries")
    found = {**_RETRIES, **(retries if isinstance(retries, dict) else {})}
    return {
        "retries": {
            "limit": found["limit"] if _is_number(found["limit"]) else _RETRIES["limit"],
            "delay": found["delay"] if _is_number(found["delay"]) else str(found["delay"]),
            "backoff": found["backoff"] if found["backoff"] in _BACKOFFS else _RETRIES["backoff"],
        },
        "timeout": given["timeout"] if _is_number(given.get("timeout")) else str(given.get("timeout", _TIMEOUT)),
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
