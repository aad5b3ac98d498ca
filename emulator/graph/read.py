"""From a workflow's class to its graph: its `run`, and each function that is handed `step`, once. Pure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from emulator.errors import EmulatorError
from emulator.graph.nodes import Graph, Node
from emulator.graph.source import Function, Module, Sources, parse
from emulator.graph.walk import Frame, Walk

# run(self, event, step)
_STEP = 1


def read(sources: Mapping[Path, str], main: Path, class_name: str) -> Graph | None:
    """
    The graph of a class, which stands in `main` or is imported there; None if it cannot be found.

    Raises EmulatorError for source that cannot be read.
    """
    parsed = parse(sources)
    module = parsed.modules.get(main)
    found = parsed.look_up(module, class_name) if module is not None else None
    if found is None or not isinstance(found[1], ast.ClassDef):
        return None
    try:
        return _Reader(parsed).graph(found[0], found[1])
    except RecursionError:
        raise EmulatorError(f"{main}: an expression is nested too deeply to be read") from None


class _Reader:
    """Collects the functions on the way; each is read once, so that one that calls itself has an end."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._functions: dict[str, tuple[Node, ...] | None] = {}
        self._names: dict[Function, str] = {}

    def graph(self, module: Module, owner: ast.ClassDef) -> Graph | None:
        found = self._sources.method(module, owner, "run")
        if found is None:
            return None
        nodes = self._walk(found[0], owner, found[2], [_STEP])
        return Graph(owner.name, nodes, {name: nodes for name, nodes in self._functions.items() if nodes})

    def follow(self, frame: Frame, call: ast.Call, places: Collection[int | str]) -> str | None:
        found = self._callee(frame, call.func)
        if found is None:
            return None
        module, owner, function = found
        return self.keep(function, lambda: self._walk(module, owner, function, places))

    def keep(self, function: Function, read: Callable[[], tuple[Node, ...]]) -> str:
        if function not in self._names:
            before = sum(each.name == function.name for each in self._names)
            name = self._names[function] = f"{function.name} {before + 1}" if before else function.name
            self._functions[name] = None
            self._functions[name] = read()
        return self._names[function]

    def takes_steps(self, name: str) -> bool:
        return self._functions[name] is None or bool(self._functions[name])

    def _walk(
        self, module: Module, owner: ast.ClassDef | None, function: Function, places: Collection[int | str]
    ) -> tuple[Node, ...]:
        """A function's nodes; the places count from the first argument that a caller gives."""
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        itself = names[0] if owner is not None and names else ""
        free = names[1:] if itself else names
        steps = {free[place] for place in places if isinstance(place, int) and place < len(free)}
        steps |= {place for place in places if isinstance(place, str)}
        frame = Frame(self._sources, module, owner, itself, frozenset(steps))
        return Walk(frame, self).body(function.body)

    def _callee(self, frame: Frame, called: ast.expr) -> tuple[Module, ast.ClassDef | None, Function] | None:
        match called:
            case ast.Attribute(value=ast.Name(id=itself), attr=name) if itself == frame.itself and frame.owner:
                method = self._sources.method(frame.module, frame.owner, name)
                # A method of a base class is read as one of the class it is called on.
                return None if method is None else (method[0], frame.owner, method[2])
            case ast.Name(id=name):
                found = self._sources.look_up(frame.module, name)
                if found is not None and isinstance(found[1], Function):
                    return found[0], None, found[1]
            case _:
                pass
        return None
