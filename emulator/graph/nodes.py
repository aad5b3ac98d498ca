"""What a workflow's graph is made of: steps and waits, and the ways in which code puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Do:
    """A step. `nodes` are steps that its own body takes."""

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Sleep:
    """A sleep for a while."""

    name: str
    duration: float | str
    line: int = 0


@dataclass(frozen=True)
class SleepUntil:
    """A sleep until a moment."""

    name: str
    timestamp: str
    line: int = 0


@dataclass(frozen=True)
class Wait:
    """A wait for an event."""

    name: str
    event_type: str
    timeout: float | str = "24 hours"
    line: int = 0


@dataclass(frozen=True)
class Call:
    """A call of a function whose steps stand under its name in the graph's functions."""

    name: str
    line: int = 0


@dataclass(frozen=True)
class Unread:
    """Code that is handed `step` and cannot be read from here: what it does with it is not known."""

    code: str
    line: int = 0


@dataclass(frozen=True)
class Loop:
    """What may happen any number of times, for the reason given."""

    head: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Parallel:
    """Branches that run at the same time."""

    branches: tuple[tuple[Node, ...], ...]
    kind: Literal["all", "any", "all_settled", "race"] = "all"


@dataclass(frozen=True)
class Arm:
    """One way of a condition; without a condition it is what happens otherwise."""

    condition: str | None
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True)
class If:
    """The first arm whose condition holds."""

    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class Switch:
    """The arm that a value fits."""

    subject: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class Try:
    """What is tried, what happens when it fails, what happens in any case."""

    body: tuple[Node, ...]
    caught: tuple[Node, ...] = ()
    last: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Leave:
    """The end of a loop, or of the whole run, before its last line."""

    kind: Literal["break", "return"]


Node = Do | Sleep | SleepUntil | Wait | Call | Unread | Loop | Parallel | If | Switch | Try | Leave


@dataclass(frozen=True)
class Graph:
    """A workflow's `run`, and the functions it calls that take steps."""

    class_name: str
    nodes: tuple[Node, ...]
    functions: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
