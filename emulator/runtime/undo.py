"""Rollback handlers (sagas): which steps of a pass can be undone, by what, and with what it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_OFFERED = ("ctx", "error", "output", "step_name")


@dataclass
class Undoable:
    """A step that has started, and the handler that would undo it; `output` is None until it has succeeded."""

    name: str
    count: int
    handler: Callable[..., Any]
    config: dict[str, Any]
    context: Any
    output: Any = None

    def body(self, error: Exception) -> Callable[[Any], Any]:
        """The handler as a step's body: it gets what its parameters name."""
        offered = {
            "ctx": self.context,
            "error": error,
            "output": self.output,
            "step_name": f"{self.name}-{self.count}",
        }
        wanted = inspect.signature(self.handler).parameters
        return lambda _: self.handler(**{name: offered[name] for name in wanted})


def check_handler(name: str, handler: Any) -> None:
    """Raise TypeError for what cannot undo a step."""
    if not callable(handler):
        raise TypeError(f'Rollback for "{name}" must be a function')
    unknown = [parameter for parameter in inspect.signature(handler).parameters if parameter not in _OFFERED]
    if unknown:
        raise TypeError(
            f'Rollback for "{name}" takes an unexpected parameter {unknown[0]}; it may take {", ".join(_OFFERED)}'
        )
