"""A graph as a Mermaid flowchart, which many editors and forges draw. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

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

_SPECIAL = re.compile(r"[^\w .,:;!?/+*()=\'-]", re.UNICODE)


@dataclass(frozen=True)
class _Exit:
    """An end to go on from, with what is written on the line."""

    node: str
    label: str = ""


_Exits = list[_Exit]


def as_mermaid(graph: Graph) -> str:
    """The chart: `run` from start to end, and each function below it in a box of its own."""
    chart = _Chart()
    start = chart.add(f'(["{_text(graph.class_name)}"])')
    chart.finish(chart.draw(graph.nodes, [_Exit(start)]), "end")
    for name, nodes in graph.functions.items():
        chart.lines.append(f'subgraph {chart.new()}["{_text(name)}"]')
        chart.leaving.clear()
        begin = chart.add('(["start"])')
        chart.finish(chart.draw(nodes, [_Exit(begin)]), "back")
        chart.lines.append("end")
    return "\n".join(["flowchart TD", *(f"    {line}" for line in chart.lines)]) + "\n"


@dataclass
class _Chart:
    """The lines so far, the ends that return early, and the ends that break out of the loop around them."""

    lines: list[str] = field(default_factory=list)
    leaving: _Exits = field(default_factory=list)
    breaking: _Exits = field(default_factory=list)
    count: int = 0

    def new(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def add(self, shape: str, entries: Iterable[_Exit] = ()) -> str:
        """A node of a shape, reached from these ends."""
        name = self.new()
        self.lines.append(name + shape)
        for entry in entries:
            self.link(entry, name)
        return name

    def link(self, entry: _Exit, target: str) -> None:
        label = f'|"{_text(entry.label)}"|' if entry.label else ""
        self.lines.append(f"{entry.node} -->{label} {target}")

    def finish(self, exits: _Exits, word: str) -> None:
        self.add(f'(["{word}"])', [*exits, *self.leaving])

    def draw(self, nodes: Sequence[Node], entries: _Exits) -> _Exits:
        """Nodes one after the other; the ends to go on from."""
        for node in nodes:
            entries = self.draw_one(node, entries)
        return entries

    def draw_one(self, node: Node, entries: _Exits) -> _Exits:
        match node:
            case Do(nodes=inner):
                return self.draw(inner, [_Exit(self.add(_shape(node), entries))])
            case Sleep() | SleepUntil() | Wait() | Call() | Unread():
                return [_Exit(self.add(_shape(node), entries))]
            case Loop():
                return self._loop(node, entries)
            case Parallel(branches=branches, kind=kind):
                fork = self.add(f'{{{{"{kind.replace("_", " ")}"}}}}', entries)
                ends = [end for branch in branches for end in self.draw(branch, [_Exit(fork)])]
                return [_Exit(self.add('((" "))', ends))]
            case If(arms=arms):
                return self._choose(arms, entries)
            case Switch(subject=subject, arms=arms):
                fork = self.add(f'{{"{_text(subject)}"}}', entries)
                ends = [end for arm in arms for end in self.draw(arm.nodes, [_Exit(fork, arm.condition or "else")])]
                return ends if any(arm.condition is None for arm in arms) else [*ends, _Exit(fork, "else")]
            case Try(body=body, caught=caught, last=last):
                return self._try(body, caught, last, entries)
            case Leave(kind=kind):
                (self.leaving if kind == "return" else self.breaking).extend(entries)
                return []
            case _:
                assert_never(node)

    def _loop(self, loop: Loop, entries: _Exits) -> _Exits:
        outside, self.breaking = self.breaking, []
        head = self.add(f'{{"{_text(loop.head)}"}}', entries)
        for end in self.draw(loop.nodes, [_Exit(head, "next")]):
            self.link(end, head)
        ends, self.breaking = [_Exit(head, "done"), *self.breaking], outside
        return ends

    def _choose(self, arms: Sequence[Arm], entries: _Exits) -> _Exits:
        ends: _Exits = []
        for arm in arms:
            if arm.condition is None:
                return [*ends, *self.draw(arm.nodes, entries)]
            fork = self.add(f'{{"{_text(arm.condition)}"}}', entries)
            ends += self.draw(arm.nodes, [_Exit(fork, "yes")])
            entries = [_Exit(fork, "no")]
        return [*ends, *entries]

    def _try(self, body: Sequence[Node], caught: Sequence[Node], last: Sequence[Node], entries: _Exits) -> _Exits:
        fork = self.add('[/"try"/]', entries)
        ends = self.draw(body, [_Exit(fork)])
        if caught:
            ends = [*ends, *self.draw(caught, [_Exit(fork, "on error")])]
        return self.draw(last, ends)


def _shape(node: Do | Sleep | SleepUntil | Wait | Call | Unread) -> str:
    match node:
        case Do(name=name):
            return f'["{_text(name)}"]'
        case Sleep(name=name, duration=duration):
            unit = " ms" if isinstance(duration, int | float) else ""
            return f'("{_text(name)}: {_text(str(duration))}{unit}")'
        case SleepUntil(name=name, timestamp=timestamp):
            return f'("{_text(name)}: until {_text(timestamp)}")'
        case Wait(name=name, event_type=event_type):
            return f'[["{_text(name)}: {_text(event_type)}"]]'
        case Call(name=name):
            return f'[["{_text(name)}()"]]'
        case Unread(code=code):
            return f'>"{_text(code)}: not read"]'
        case _:
            assert_never(node)


def _text(text: str) -> str:
    """Text that cannot end a label, nor be taken for markup."""
    return "".join(_escaped(text))


def _escaped(text: str) -> Iterator[str]:
    for character in text:
        yield f"#{ord(character)};" if _SPECIAL.match(character) else character
