"""Calls of `step.…`: what each says of the step it takes. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.graph.nodes import Do, Node, Sleep, SleepUntil, Wait
from emulator.graph.source import Function, Module, Sources

_LONGEST = 80
_PASSED = ("self", "ctx")
_METHODS = {
    "sleep": "sleep",
    "sleep_until": "sleep_until",
    "sleepUntil": "sleep_until",
    "wait_for_event": "wait",
    "waitForEvent": "wait",
    "do": "do",
}


@dataclass(frozen=True)
class Definition:
    """A function that `@step.do` makes a step: what it is, and the steps whose results it takes."""

    node: Do
    needs: tuple[str, ...] = ()
    concurrent: bool = False


def shown(node: ast.AST) -> str:
    """An expression as it was written, on one line, not too long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def definition_of(sources: Sources, module: Module, function: Function, steps: Collection[str]) -> Definition | None:
    """What a decorated function is, if it is a step."""
    for decorator in function.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        if _method(call.func if call is not None else decorator, steps) != "do":
            continue
        given = _arguments(call, ("name",)) if call is not None else {}
        name = _name(given["name"]) if "name" in given and not _is_none(given["name"]) else function.name
        return Definition(
            Do(name, _config(sources, module, given.get("config")), line=function.lineno),
            needs=_named_in(given["depends"]) if "depends" in given else _needed(function),
            concurrent="concurrent" in given and shown(given["concurrent"]) == "True",
        )
    return None


def _needed(function: Function) -> tuple[str, ...]:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return tuple(each.arg for each in arguments if each.arg not in _PASSED)


def _named_in(depends: ast.expr) -> tuple[str, ...]:
    elements = depends.elts if isinstance(depends, ast.List | ast.Tuple) else []
    return tuple(each.id for each in elements if isinstance(each, ast.Name))


def step_of(sources: Sources, module: Module, call: ast.Call, steps: Collection[str]) -> Node | None:
    """What a call of `step.…` is; also `step.do("name")(function)`, called on the spot."""
    match call:
        case ast.Call(func=ast.Call(func=ast.Call() as inner)) if _method(inner.func, steps) == "do":
            return _do(sources, module, inner)
        case ast.Call(func=ast.Call() as inner) if _method(inner.func, steps) == "do":
            return _do(sources, module, inner)
    match _method(call.func, steps):
        case "do" if len(call.args) > 1:
            return _do(sources, module, call)
        case "sleep":
            given = _arguments(call, ("name", "duration"))
            return Sleep(_name(given.get("name")), _literal(given.get("duration")), call.lineno)
        case "sleep_until":
            given = _arguments(call, ("name", "timestamp"))
            return SleepUntil(_name(given.get("name")), str(_literal(given.get("timestamp"))), call.lineno)
        case "wait":
            given = _arguments(call, ("name", "event_type", "timeout"))
            kind = given.get("event_type", given.get("type"))
            timeout = _literal(given["timeout"]) if "timeout" in given else "24 hours"
            return Wait(_name(given.get("name")), _name(kind), timeout, call.lineno)
        case _:
            return None


def _do(sources: Sources, module: Module, call: ast.Call) -> Do:
    given = _arguments(call, ("name",))
    return Do(_name(given.get("name")), _config(sources, module, given.get("config")), line=call.lineno)


def _method(called: ast.expr, steps: Collection[str]) -> str | None:
    match called:
        case ast.Attribute(value=ast.Name(id=name), attr=method) if name in steps:
            return _METHODS.get(method)
        case _:
            return None


def _arguments(call: ast.Call, names: tuple[str, ...]) -> dict[str, ast.expr]:
    given = dict(zip(names, call.args, strict=False))
    return {**given, **{each.arg: each.value for each in call.keywords if each.arg is not None}}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(node: ast.expr | None) -> str:
    """A name as text; what only the run knows stands in braces, as in an f-string."""
    match node:
        case None:
            return "?"
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(_part, parts))
        case _:
            return f"{{{shown(node)}}}"


def _part(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.FormattedValue(value=value):
            return f"{{{shown(value)}}}"
        case _:
            return shown(node)


def _literal(node: ast.expr | None) -> float | str:
    match node:
        case None:
            return "?"
        case ast.Constant(value=bool()):
            return shown(node)
        case ast.Constant(value=int() | float() | str() as value):
            return value
        case _:
            return shown(node)


def _config(sources: Sources, module: Module, node: ast.expr | None) -> Mapping[str, Any]:
    """A step's config as far as it can be known; a part that cannot stands there as it was written."""
    if node is None:
        return {}
    try:
        found = sources.constant(module, node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        found = _parts(node)
    return found if isinstance(found, dict) else {}


def _parts(node: ast.expr) -> Any:
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {key.value: _parts(value) for key, value in pairs if isinstance(key, ast.Constant)}
        case ast.Constant(value=value):
            return value
        case _:
            return shown(node)
