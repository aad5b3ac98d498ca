"""A graph as an indented list for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from emulator.graph.nodes import (
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

_INDENT = "  "


def as_outline(graph: Graph) -> str:
    """The workflow, then each function it calls."""
    lines = [graph.class_name, *_below(graph.nodes)]
    for name, nodes in graph.functions.items():
        lines += ["", f"{name}()", *_below(nodes)]
    return "\n".join(lines) + "\n"


def _below(nodes: Sequence[Node]) -> list[str]:
    return [_INDENT + line for node in nodes for line in _lines(node)]


def _lines(node: Node) -> Iterator[str]:
    match node:
        case Do(name=name, nodes=nodes):
            yield f"do {name}"
            yield from _below(nodes)
        case Sleep(name=name, duration=duration):
            yield f"sleep {name} ({duration}{'' if isinstance(duration, str) else ' ms'})"
        case SleepUntil(name=name, timestamp=timestamp):
            yield f"sleep {name} (until {timestamp})"
        case Wait(name=name, event_type=event_type, timeout=timeout):
            yield f'wait {name} (for "{event_type}", at most {timeout}{"" if isinstance(timeout, str) else " ms"})'
        case Call(name=name):
            yield f"{name}()"
        case Unread(code=code):
            yield f"{code}: takes step, and cannot be read from here"
        case Loop(head=head, nodes=nodes):
            yield head
            yield from _below(nodes)
        case Parallel(branches=branches, kind=kind):
            yield f"at once, {kind.replace('_', ' ')}"
            for branch in branches:
                yield from (_INDENT + line for line in _marked(branch))
        case If(arms=arms):
            for number, arm in enumerate(arms):
                yield "else" if arm.condition is None else f"{'elif' if number else 'if'} {arm.condition}"
                yield from _below(arm.nodes)
        case Switch(subject=subject, arms=arms):
            yield f"match {subject}"
            for arm in arms:
                yield f"{_INDENT}case {arm.condition or '_'}"
                yield from (_INDENT + line for line in _below(arm.nodes))
        case Try(body=body, caught=caught, last=last):
            for word, nodes in (("try", body), ("except", caught), ("finally", last)):
                if nodes:
                    yield word
                    yield from _below(nodes)
        case Leave(kind=kind):
            yield kind
        case _:
            assert_never(node)


def _marked(branch: Sequence[Node]) -> Iterator[str]:
    """A branch, its first line with a dash."""
    for number, line in enumerate(line for node in branch for line in _lines(node)):
        yield f"{'- ' if number == 0 else _INDENT}{line}"
