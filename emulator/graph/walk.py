"""The statements and expressions of one function, in the order in which they happen, as nodes. Pure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from emulator.graph.nodes import Arm, Call, If, Leave, Loop, Node, Parallel, Switch, Try, Unread
from emulator.graph.source import Function, Module, Sources
from emulator.graph.steps import Definition, definition_of, shown, step_of

_NESTED = (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_GROUPS = {"gather": "all", "wait": "all_settled", "as_completed": "all"}


@dataclass(frozen=True)
class Frame:
    """Where a function stands, and which of its names are `self` and `step`."""

    sources: Sources
    module: Module
    owner: ast.ClassDef | None
    itself: str
    steps: frozenset[str]


class Functions(Protocol):
    """Where functions that take steps are read, each once."""

    def follow(self, frame: Frame, call: ast.Call, places: Collection[int | str]) -> str | None:
        """Read a function that is handed `step` at these places. Its name, if it is one of the worker's."""

    def keep(self, function: Function, read: Callable[[], tuple[Node, ...]]) -> str:
        """Read a function that stands inside another. Its name, with a number where others have the same."""

    def takes_steps(self, name: str) -> bool:
        """Whether a function that was read takes steps; one that is still being read may."""


class Walk:
    """One function's walk. It learns on the way which local names are steps, and which other names `step` has."""

    def __init__(self, frame: Frame, functions: Functions) -> None:
        self._frame = frame
        self._functions = functions
        self._steps = set(frame.steps)
        self._defined: dict[str, Definition] = {}
        self._inner: dict[str, Function] = {}
        self._taken: set[str] = set()

    def body(self, statements: Sequence[ast.stmt]) -> tuple[Node, ...]:
        """The nodes of a function's body; its last line leaves by itself."""
        nodes = self._all(statements)
        return nodes[:-1] if nodes and isinstance(nodes[-1], Leave) else nodes

    # Statements

    def _all(self, statements: Iterable[ast.stmt]) -> tuple[Node, ...]:
        return tuple(node for each in statements for node in self._statement(each))

    def _statement(self, statement: ast.stmt) -> list[Node]:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._define(statement)
            case ast.If():
                return self._if(statement)
            case ast.For(target=target, iter=items) | ast.AsyncFor(target=target, iter=items):
                head = f"for {shown(target)} in {shown(items)}"
                return [*self._value(items), *self._loop(head, [], statement.body), *self._all(statement.orelse)]
            case ast.While(test=test):
                loop = self._loop(f"while {shown(test)}", self._value(test), statement.body)
                return [*loop, *self._all(statement.orelse)]
            case ast.Try() | ast.TryStar():
                return self._try(statement)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                return self._with(items, statement.body)
            case ast.Match():
                return self._match(statement)
            case ast.Return(value=value):
                return [*self._value(value), Leave("return")]
            case ast.Break():
                return [Leave("break")]
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=known)) if known in self._steps:
                self._steps.add(name)
                return []
            case _:
                return [node for each in ast.iter_child_nodes(statement) for node in self._value(each)]

    def _define(self, function: Function) -> list[Node]:
        found = definition_of(self._frame.sources, self._frame.module, function, self._steps)
        if found is None:
            self._inner[function.name] = function
        else:
            self._defined[function.name] = found
        return []

    def _if(self, statement: ast.If) -> list[Node]:
        before, arms = self._value(statement.test), [Arm(shown(statement.test), self._all(statement.body))]
        rest = statement.orelse
        while len(rest) == 1 and isinstance(rest[0], ast.If):
            inner = rest[0]
            before += self._value(inner.test)
            arms.append(Arm(shown(inner.test), self._all(inner.body)))
            rest = inner.orelse
        if rest:
            arms.append(Arm(None, self._all(rest)))
        return [*before, If(tuple(arms))] if any(arm.nodes for arm in arms) else before

    def _loop(self, head: str, before: Sequence[Node], body: Sequence[ast.stmt]) -> list[Node]:
        nodes = (*before, *self._all(body))
        return [Loop(head, nodes)] if any(not isinstance(node, Leave) for node in nodes) else []

    def _try(self, statement: ast.Try | ast.TryStar) -> list[Node]:
        body = self._all([*statement.body, *statement.orelse])
        caught = self._caught(statement.handlers)
        last = self._all(statement.finalbody)
        return [Try(body, caught, last)] if body or caught or last else []

    def _caught(self, handlers: Sequence[ast.ExceptHandler]) -> tuple[Node, ...]:
        """What a handler does; of several, one runs."""
        arms = [Arm(shown(each.type) if each.type else None, self._all(each.body)) for each in handlers]
        if len(arms) == 1:
            return arms[0].nodes
        return (Switch("the error", tuple(arms)),) if any(arm.nodes for arm in arms) else ()

    def _with(self, items: Sequence[ast.withitem], body: Sequence[ast.stmt]) -> list[Node]:
        before = [node for item in items for node in self._value(item.context_expr)]
        if not any(_called(item.context_expr) == "TaskGroup" for item in items):
            return [*before, *self._all(body)]
        branches = [nodes for each in body if (nodes := tuple(self._statement(each)))]
        return [*before, *_together(branches, "all")]

    def _match(self, statement: ast.Match) -> list[Node]:
        arms = [Arm(_pattern(case), self._all(case.body)) for case in statement.cases]
        before = self._value(statement.subject)
        return [*before, Switch(shown(statement.subject), tuple(arms))] if any(arm.nodes for arm in arms) else before

    # Expressions

    def _value(self, node: ast.AST | None) -> list[Node]:
        """The nodes of an expression, in the order in which it is evaluated."""
        match node:
            case None:
                return []
            case ast.Call():
                return self._call(node)
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                arms = (Arm(shown(test), tuple(self._value(body))), Arm(None, tuple(self._value(otherwise))))
                return [*self._value(test), *([If(arms)] if any(arm.nodes for arm in arms) else [])]
            case ast.BoolOp(values=[first, *rest]):
                nodes = tuple(each for value in rest for each in self._value(value))
                return [*self._value(first), *([If((Arm(shown(first), nodes),))] if nodes else [])]
            case _ if isinstance(node, _COMPREHENSIONS):
                return self._comprehension(node)
            case _ if isinstance(node, _NESTED):
                return []
            case ast.Name(id=name, ctx=ast.Load()) if name in self._steps:
                return [Unread(name, node.lineno)]
            case _:
                return [each for child in ast.iter_child_nodes(node) for each in self._value(child)]

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> list[Node]:
        first, *others = node.generators
        inner: list[ast.AST] = [*first.ifs, *others]
        inner += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        nodes = tuple(each for child in inner for each in self._value(child))
        head = f"for {shown(first.target)} in {shown(first.iter)}"
        return [*self._value(first.iter), *([Loop(head, nodes)] if nodes else [])]

    def _call(self, call: ast.Call) -> list[Node]:
        known = step_of(self._frame.sources, self._frame.module, call, self._steps)
        if known is not None:
            return [known]
        if isinstance(call.func, ast.Name) and call.func.id in self._defined:
            return self._take(call.func.id, call.lineno)
        if isinstance(call.func, ast.Name) and call.func.id in self._inner:
            return [*self._values(call), *self._call_inner(self._inner[call.func.id], call.lineno)]
        kind = _GROUPS.get(_called(call))
        if kind is not None:
            return self._group(call, kind)
        handed = self._handed(call)
        if handed:
            return [*self._values(call), *self._handed_on(call, handed)]
        return [*self._value(call.func), *self._values(call)]

    def _values(self, call: ast.Call) -> list[Node]:
        """The nodes of a call's arguments, but for `step` itself."""
        arguments = [*call.args, *(each.value for each in call.keywords)]
        return [node for each in arguments if not self._is_step(each) for node in self._value(each)]

    def _handed(self, call: ast.Call) -> list[int | str]:
        """At which places a call hands on `step`."""
        places: list[tuple[int | str, ast.expr]] = [*enumerate(call.args)]
        places += [(each.arg, each.value) for each in call.keywords if each.arg is not None]
        return [place for place, each in places if self._is_step(each)]

    def _handed_on(self, call: ast.Call, places: Collection[int | str]) -> list[Node]:
        name = self._functions.follow(self._frame, call, places)
        if name is None:
            return [Unread(shown(call.func), call.lineno)]
        return [Call(name, call.lineno)] if self._functions.takes_steps(name) else []

    def _call_inner(self, function: Function, line: int) -> list[Node]:
        """A function that stands inside this one and sees its names."""
        name = self._functions.keep(function, lambda: self.body(function.body))
        return [Call(name, line)] if self._functions.takes_steps(name) else []

    def _is_step(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self._steps

    def _group(self, call: ast.Call, kind: str) -> list[Node]:
        settings = {each.arg: shown(each.value) for each in call.keywords}
        if settings.get("return_exceptions") == "True":
            kind = "all_settled"
        if "FIRST_" in settings.get("return_when", ""):
            kind = "race"
        branches: list[tuple[Node, ...]] = []
        for argument in call.args:
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            parts = inner.elts if isinstance(inner, ast.List | ast.Tuple | ast.Set) else [inner]
            branches += [nodes for each in parts if (nodes := tuple(self._value(each)))]
        return _together(branches, kind)

    def _take(self, name: str, line: int) -> list[Node]:
        """A step that is called, after those it depends on that were not taken before."""
        step = self._defined[name]
        self._taken.add(name)
        # Looked at one by one: the step that was just taken may have taken the next one.
        needs = (each for each in step.needs if each in self._defined and each not in self._taken)
        branches = [tuple(self._take(each, line)) for each in needs]
        before = _together(branches, "all") if step.concurrent else [node for each in branches for node in each]
        return [*before, step.node]


def _together(branches: Sequence[tuple[Node, ...]], kind: str) -> list[Node]:
    """Branches that run at once; a single loop over many is that, too."""
    if len(branches) == 1 and not any(isinstance(node, Loop) for node in branches[0]):
        return list(branches[0])
    match kind:
        case "all_settled":
            return [Parallel(tuple(branches), "all_settled")] if branches else []
        case "race":
            return [Parallel(tuple(branches), "race")] if branches else []
        case _:
            return [Parallel(tuple(branches))] if branches else []


def _called(node: ast.AST) -> str:
    """The last name of what is called: `gather` of `asyncio.gather(…)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name
        case _:
            return ""


def _pattern(case: ast.match_case) -> str | None:
    if isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None:
        return None
    guard = f" if {shown(case.guard)}" if case.guard is not None else ""
    return shown(case.pattern) + guard
