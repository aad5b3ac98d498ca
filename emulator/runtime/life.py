"""One step as the worker's side runs it, from attempt to attempt, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.runtime import values
from emulator.runtime.traces import revive
from emulator.sdk.workers.rpc import JsDict
from emulator.sdk.workers.workflows import WorkflowFatalError
from emulator.wire import Frame

_LONGEST_NAME = 256


@dataclass(frozen=True, kw_only=True)
class Life:
    """What of a step, or of its undoing, stays the same from attempt to attempt."""

    kind: str
    name: str
    count: int
    config: Any
    body: Callable[[Any], Any]
    started: Callable[[Any], None] = lambda context: None

    @property
    def key(self) -> str:
        label = f"{self.name}-{self.count}"
        return label if self.kind == "do" else f"{self.kind}:{label}"

    def context(self, frame: Frame) -> Any:
        """The `ctx` of an attempt."""
        return JsDict({**frame.head["ctx"], "step": JsDict({"name": self.name, "count": self.count})})


def is_usual(life: Life, head: dict[str, Any]) -> bool:
    """Nothing about the step is for the engine to decide: `head` is what would be asked."""
    name: Any = life.name
    has_usual_name = isinstance(name, str) and name.isascii() and name.isprintable() and len(name) <= _LONGEST_NAME
    is_plain = head["config"] is None and not head.get("rollback") and head.get("rollback_config") is None
    return life.kind == "do" and has_usual_name and is_plain


def kept(life: Life, result: Any) -> str:
    """The wire form of a step's result; what has none would have none at the next try either."""
    if life.kind == "rollback":
        return "null"
    try:
        return values.encode(result, lenient=True)
    except TypeError as error:
        raise WorkflowFatalError(
            "The execution of the Workflow instance was terminated, as the step "
            f'"{life.name}" returned a value which is not serialisable: {error}'
        ) from error


def recorded(frame: Frame) -> Any:
    """What the engine has kept of a step: a copy of its result, or its error raised anew."""
    if frame.head["go"] == "failure":
        raise revive(frame.head["failure"])
    if frame.head["go"] == "over":
        # Nothing of the worker's catches this: the code has been run far enough to bring its handlers back.
        raise asyncio.CancelledError
    return values.decode(frame.body, mapping=JsDict) if frame.body else None
